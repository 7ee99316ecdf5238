const classes = { row: "rows", card: "cards", form: "narrow" };

/** Grey shapes of the size of what comes, so that nothing moves when it arrives. */
export function Skeleton({
  what,
  kind,
  count,
}: {
  what: string;
  kind: "row" | "card" | "form";
  count: number;
}) {
  return (
    <div class={classes[kind]} role="status">
      <span class="sr-only">{`Loading ${what} …`}</span>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} class={`skeleton skeleton-${kind}`} aria-hidden="true" />
      ))}
    </div>
  );
}
