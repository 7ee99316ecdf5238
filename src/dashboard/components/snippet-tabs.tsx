import { useId, useRef } from "hono/jsx/dom";
import type { Snippet } from "../schemas.ts";
import { CopyButton } from "./copy-button.tsx";
import { useState } from "../state/use-state.ts";

/** Tabs after the ARIA authoring practices: one tab stop, arrows, Home and End move and select. */
export function SnippetTabs({
  snippets,
  announce,
}: {
  snippets: Snippet[];
  announce: (text: string) => void;
}) {
  const [selected, setSelected] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const base = useId();
  const snippet = snippets[selected];
  if (snippet === undefined) return null;
  const moveTo = (index: number) => {
    const next = (index + snippets.length) % snippets.length;
    setSelected(next);
    const tab = list.current?.children.item(next);
    if (tab instanceof HTMLElement) tab.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const targets: Record<string, number> = {
      ArrowRight: selected + 1,
      ArrowLeft: selected - 1,
      Home: 0,
      End: snippets.length - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    moveTo(target);
  };
  return (
    <div class="snippets">
      <div class="tabs" role="tablist" aria-label="Client" ref={list} onKeyDown={onKeyDown}>
        {snippets.map((each, index) => (
          <button
            key={each.client}
            type="button"
            role="tab"
            class="tab"
            id={`${base}tab${index}`}
            aria-selected={index === selected ? "true" : "false"}
            aria-controls={`${base}panel`}
            tabIndex={index === selected ? 0 : -1}
            onClick={() => setSelected(index)}
          >
            {each.title}
          </button>
        ))}
      </div>
      <div
        class="tab-panel"
        role="tabpanel"
        id={`${base}panel`}
        aria-labelledby={`${base}tab${selected}`}
        tabIndex={0}
      >
        <div class="snippet-head">
          <span class="snippet-file">{snippet.file ?? ""}</span>
          <CopyButton
            key={snippet.client}
            what={`the ${snippet.title} configuration`}
            text={snippet.text}
            announce={announce}
          />
        </div>
        <pre class="code" translate="no">
          <code>{snippet.text}</code>
        </pre>
        {snippet.note ? <p class="hint">{snippet.note}</p> : null}
      </div>
    </div>
  );
}
