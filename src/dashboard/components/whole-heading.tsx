import { useApp } from "../state/app-context.ts";
import { useTitle } from "../state/route.ts";

interface Props {
  title: string;
  /** Read aloud and not drawn. */
  hidden?: boolean;
}

/** The heading of what stands for a whole view, which names the page as a view does. */
export function WholeHeading({ title, hidden = false }: Props) {
  const { brand } = useApp();
  useTitle(title, brand);
  return <h1 class={hidden ? "sr-only" : undefined}>{title}</h1>;
}
