import { ErrorBoundary } from "hono/jsx/dom";
import { api } from "./api.ts";
import { LoadFailure } from "./components/notice.tsx";
import { Shell } from "./components/shell.tsx";
import { currentSession, onSessionChange } from "./session.ts";
import { useLoad } from "./state/use-load.ts";
import { useStore } from "./state/use-store.ts";
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
  const session = useStore(onSessionChange, currentSession);
  const { loaded, reload } = useLoad(api.config);
  const config = loaded.state === "ready" ? loaded.value : undefined;
  // Another person's sign-in must find nothing of the one before: the key starts everything below anew.
  if (session.current !== undefined) return <Home key={session.current.key} config={config} />;
  return (
    <Shell config={config}>
      {config ? <SignIn config={config} reason={session.reason} /> : null}
      {loaded.state === "failed" ? (
        <LoadFailure what="The page" failure={loaded.failure} retry={reload} whole />
      ) : null}
    </Shell>
  );
}
