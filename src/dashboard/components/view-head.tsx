import type { Child } from "hono/jsx";
import { useApp } from "../state/app-context.ts";
import { useViewHeading } from "../state/route.ts";

interface Props {
  title: string;
  lead: Child;
  /** The one thing that people come here to do. */
  children?: Child;
}

export function ViewHead({ title, lead, children }: Props) {
  const { brand } = useApp();
  const heading = useViewHeading(title, brand);
  return (
    <div class="view-head">
      <div>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <p class="lead">{lead}</p>
      </div>
      {children}
    </div>
  );
}
