import { useCallback, useMemo } from "hono/jsx/dom";
import type { Erased as ErasedResult } from "../account-schemas.ts";
import { api } from "../api.ts";
import { LoadFailure } from "../components/notice.tsx";
import { Shell } from "../components/shell.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import type { Config, Me } from "../schemas.ts";
import { AppContext } from "../state/app-context.ts";
import { hrefs, useRoute, type Route } from "../state/route.ts";
import { currentReturn, onReturnChange } from "../state/sign-in-flow.ts";
import { useArrivals, type OnConnected } from "../state/use-arrivals.ts";
import { useLoad } from "../state/use-load.ts";
import { useStore } from "../state/use-store.ts";
import { Account, hasBilling } from "./account.tsx";
import { ActivityLog } from "./activity-log.tsx";
import { Connect } from "./connect.tsx";
import { Connections } from "./connections.tsx";
import { Detail } from "./detail.tsx";
import { Erased } from "./erased.tsx";
import { FinishSignIn } from "./finish-sign-in.tsx";
import { Gallery, type GalleryFilter } from "./gallery.tsx";
import { Kept } from "./kept.tsx";
import { Missing } from "./missing.tsx";
import { Reauthorize } from "./reauthorize.tsx";
import { SaveCredential } from "./save-credential.tsx";
import { Support } from "./support.tsx";
import { Tokens } from "./tokens.tsx";
import { useState } from "../state/use-state.ts";

/** Views that show nothing without the account. The others go on: what is in them may be nowhere else. */
const showsAccount: ReadonlySet<Route["view"]> = new Set([
  "account",
  "billing",
  "support",
  "connect",
  "again",
]);

/** The signed-in page: which view, and the one credential that may be in memory. */
export function Home({ config }: { config: Config | undefined }) {
  const route = useRoute();
  const returned = useStore(onReturnChange, currentReturn);
  const { loaded, reload } = useLoad(api.me);
  const me = loaded.state === "ready" ? loaded.value : undefined;
  const [announcement, setAnnouncement] = useState("");
  const announce = useCallback((sentence: string) => {
    // A live region says nothing about a text that it already has.
    setAnnouncement((before) => (before === sentence ? `${sentence}\u00a0` : sentence));
  }, []);
  // Only here, never in storage, a URL or an input: a reload forgets it.
  const arrivals = useArrivals();
  const connected = arrivals.first;
  // The account is closed: nothing may be asked of the server any more, and what is left to do is shown once.
  const [erased, setErased] = useState<ErasedResult | undefined>(undefined);
  const done = () => {
    history.replaceState(null, "", hrefs.connections);
    dispatchEvent(new HashChangeEvent("hashchange"));
    arrivals.dismiss();
    if (connected?.credential) announce("The credential is no longer on this page.");
  };
  const brand = config?.brand_name ?? "Bindify";
  // Where a credential is about to be shown there is nothing to go to, and a header that grew would move it.
  const place = connected || returned || erased ? undefined : route;
  const callbackUrl = `${config?.public_url ?? location.origin}/oauth/callback`;
  const app = useMemo(() => ({ brand, callbackUrl, announce }), [brand, callbackUrl, announce]);
  return (
    <AppContext.Provider value={app}>
      <Shell config={config} me={me} route={place} announcement={announcement}>
        {erased ? (
          <Erased result={erased} />
        ) : connected?.credential ? (
          <SaveCredential
            key={connected.connection.id}
            connection={connected.connection}
            credential={connected.credential}
            snippets={connected.snippets}
            onDone={done}
          />
        ) : connected ? (
          <Kept connection={connected.connection} onDone={done} />
        ) : returned ? (
          <FinishSignIn key={returned.answer.state} returned={returned} onConnected={arrivals.add} />
        ) : loaded.state === "failed" && showsAccount.has(route.view) ? (
          <LoadFailure what="Your account" failure={loaded.failure} retry={reload} whole />
        ) : (
          <View route={route} me={me} onConnected={arrivals.add} onErased={setErased} />
        )}
      </Shell>
    </AppContext.Provider>
  );
}

interface ViewProps {
  route: Route;
  me: Me | undefined;
  onConnected: OnConnected;
  onErased: (erased: ErasedResult) => void;
}

function View({ route, me, onConnected, onErased }: ViewProps) {
  const { loaded, reload } = useLoad(api.services);
  // Kept above the views, so that coming back from a form finds the search as it was.
  const [filter, setFilter] = useState<GalleryFilter>({ query: "", category: "" });
  switch (route.view) {
    case "connections":
      return <Connections onConnected={onConnected} />;
    case "detail":
      return <Detail key={route.connection} id={route.connection} onConnected={onConnected} />;
    case "activity":
      return <ActivityLog key={route.connection} connection={route.connection} days={me?.audit_days} />;
    case "tokens":
      return <Tokens />;
    case "account":
      return <Account me={me} onErased={onErased} />;
    case "billing":
      if (me !== undefined && !hasBilling(me)) return <Missing />;
      return <Account me={me} at="billing" onErased={onErased} />;
    case "support":
      return <Support me={me} />;
    case "missing":
      return <Missing />;
    case "gallery":
      return <Gallery services={loaded} retry={reload} filter={filter} onFilter={setFilter} />;
    case "connect":
    case "again":
      break;
  }
  if (loaded.state === "failed") {
    return <LoadFailure what="The service" failure={loaded.failure} retry={reload} whole />;
  }
  if (loaded.state === "loading" || me === undefined)
    return <Skeleton what="the service" kind="form" count={1} whole />;
  const { services } = loaded.value;
  const modes = me.storage_modes;
  if (route.view === "again") {
    return (
      <Reauthorize
        key={route.connection}
        id={route.connection}
        services={services}
        modes={modes}
        onConnected={onConnected}
      />
    );
  }
  const service = services.find((each) => each.id === route.service);
  if (service === undefined) return <Missing />;
  return <Connect key={service.id} service={service} modes={modes} onConnected={onConnected} />;
}
