import { ErrorBoundary, useCallback, useState, useSyncExternalStore } from "hono/jsx/dom";
import { api } from "./api.ts";
import { LoadFailure } from "./components/notice.tsx";
import { Shell } from "./components/shell.tsx";
import { Skeleton } from "./components/skeleton.tsx";
import type { Config } from "./schemas.ts";
import { currentSession, onSessionChange } from "./session.ts";
import { useLoad } from "./state/use-load.ts";
import { Broken } from "./views/broken.tsx";
import { Home } from "./views/home.tsx";
import { SignIn } from "./views/sign-in.tsx";

export function App() {
  return (
    <ErrorBoundary fallback={<Broken />}>
      <Start />
    </ErrorBoundary>
  );
}

function Start() {
  const session = useSyncExternalStore(onSessionChange, currentSession);
  const { loaded, reload } = useLoad(api.config);
  if (loaded.state === "loading") return <Shell announcement="">{null}</Shell>;
  if (loaded.state === "failed") {
    return (
      <Shell announcement="">
        <LoadFailure what="The page" failure={loaded.failure} retry={reload} />
      </Shell>
    );
  }
  if (session.token === undefined) {
    return (
      <Shell config={loaded.value} announcement="">
        <SignIn config={loaded.value} reason={session.reason} />
      </Shell>
    );
  }
  // Another person's sign-in must find nothing of the one before: the key starts everything below anew.
  return <SignedIn key={session.token} config={loaded.value} />;
}

function SignedIn({ config }: { config: Config }) {
  const { loaded, reload } = useLoad(api.me);
  const [announcement, setAnnouncement] = useState("");
  const announce = useCallback((sentence: string) => {
    // A live region says nothing about a text that it already has.
    setAnnouncement((before) => (before === sentence ? `${sentence}\u00a0` : sentence));
  }, []);
  if (loaded.state === "ready") {
    return <Home config={config} me={loaded.value} announce={announce} announcement={announcement} />;
  }
  return (
    <Shell config={config} announcement="">
      {loaded.state === "loading" ? (
        <Skeleton what="your account" kind="row" count={3} />
      ) : (
        <LoadFailure what="Your account" failure={loaded.failure} retry={reload} />
      )}
    </Shell>
  );
}
