import type { Child } from "hono/jsx";
import { useApp } from "../state/app-context.ts";
import { useViewHeading } from "../state/route.ts";
import { ServiceMark } from "./service-mark.tsx";

interface Props {
  service: { id: string; name: string };
  title: string;
  back: { href: string; words: string };
  children: Child;
}

export function ConnectHead({ service, title, back, children }: Props) {
  const { brand } = useApp();
  const heading = useViewHeading(title, brand);
  return (
    <>
      <a class="back" href={back.href}>
        {back.words}
      </a>
      <div class="connect-head">
        <ServiceMark id={service.id} name={service.name} />
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          <p class="lead">{children}</p>
        </div>
      </div>
    </>
  );
}
