import { WholeHeading } from "./whole-heading.tsx";

const classes = {
  row: "rows",
  card: "cards",
  form: "narrow",
  detail: "detail",
  chart: "skeleton-frame",
  event: "events",
  plan: "skeleton-frame",
};

interface Props {
  what: string;
  kind: keyof typeof classes;
  count: number;
  /** Stands for a whole view, which has a heading in any state. */
  whole?: boolean;
}

/** Grey shapes of the size of what comes, so that nothing moves when it arrives. */
export function Skeleton({ what, kind, count, whole = false }: Props) {
  return (
    <div class={classes[kind]} role="status">
      {whole ? (
        <WholeHeading title={`Loading ${what} …`} hidden />
      ) : (
        <span class="sr-only">{`Loading ${what} …`}</span>
      )}
      {Array.from({ length: count }, (_, index) => (
        <div key={index} class={`skeleton skeleton-${kind}`} aria-hidden="true" />
      ))}
    </div>
  );
}
