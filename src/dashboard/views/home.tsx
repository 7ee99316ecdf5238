import { useState } from "hono/jsx/dom";
import { api } from "../api.ts";
import { LoadFailure } from "../components/notice.tsx";
import { Shell } from "../components/shell.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import type { Connected, Service } from "../schemas.ts";
import { AppContext, type AppState } from "../state/app-context.ts";
import { hrefs, useRoute, type Route } from "../state/route.ts";
import { useLoad } from "../state/use-load.ts";
import { Connect } from "./connect.tsx";
import { Connections } from "./connections.tsx";
import { Gallery, type GalleryFilter } from "./gallery.tsx";
import { Missing } from "./missing.tsx";
import { SaveCredential } from "./save-credential.tsx";

/** The signed-in page: which view, and the one credential that may be in memory. */
export function Home({ announcement, ...app }: AppState & { announcement: string }) {
  const route = useRoute();
  // Only here, never in storage, a URL or an input: a reload forgets it.
  const [connected, setConnected] = useState<Connected | undefined>(undefined);
  const done = () => {
    history.replaceState(null, "", hrefs.connections);
    dispatchEvent(new HashChangeEvent("hashchange"));
    setConnected(undefined);
    app.announce("The credential is no longer on this page.");
  };
  return (
    <AppContext.Provider value={app}>
      <Shell
        config={app.config}
        me={app.me}
        route={connected ? undefined : route}
        announcement={announcement}
      >
        {connected ? (
          <SaveCredential connected={connected} onDone={done} />
        ) : (
          <View route={route} onConnected={setConnected} />
        )}
      </Shell>
    </AppContext.Provider>
  );
}

function View({ route, onConnected }: { route: Route; onConnected: (connected: Connected) => void }) {
  const { loaded, reload } = useLoad(api.services);
  // Kept above the views, so that coming back from a form finds the search as it was.
  const [filter, setFilter] = useState<GalleryFilter>({ query: "", category: "" });
  if (route.view === "connections") return <Connections />;
  if (route.view === "missing") return <Missing />;
  if (loaded.state === "loading") return <Skeleton what="the services" kind="card" count={9} />;
  if (loaded.state === "failed") {
    return <LoadFailure what="The services" failure={loaded.failure} retry={reload} />;
  }
  const { services } = loaded.value;
  if (route.view === "gallery") return <Gallery services={services} filter={filter} onFilter={setFilter} />;
  const service = services.find((each: Service) => each.id === route.service);
  return service ? <Connect key={service.id} service={service} onConnected={onConnected} /> : <Missing />;
}
