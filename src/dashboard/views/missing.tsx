import { hrefs, useViewHeading } from "../state/route.ts";
import { useApp } from "../state/app-context.ts";

export function Missing() {
  const { brand } = useApp();
  const heading = useViewHeading("Not found", brand);
  return (
    <div class="placeholder">
      <h1 ref={heading} tabIndex={-1}>
        There is nothing here
      </h1>
      <p>The link may be mistyped, or what it led to is gone.</p>
      <a class="button" href={hrefs.connections}>
        To your connections
      </a>
    </div>
  );
}
