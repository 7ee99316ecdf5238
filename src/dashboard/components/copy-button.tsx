import { Icon } from "./icons.tsx";
import { useEffect } from "../state/use-effect.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  /** What is copied, in the words of the button's accessible name: "Copy the secret URL". */
  what: string;
  text: string;
  announce: (sentence: string) => void;
}

export function CopyButton({ what, text, announce }: Props) {
  const [outcome, setOutcome] = useState<"none" | "copied" | "refused">("none");
  useEffect(() => {
    if (outcome === "none") return undefined;
    const timer = setTimeout(() => setOutcome("none"), 2500);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    const copied = await writeClipboard(text);
    setOutcome(copied ? "copied" : "refused");
    announce(
      copied ? `Copied ${what}.` : "The browser refused to copy. Select the text and copy it yourself.",
    );
  };
  return (
    <button
      type="button"
      class="button button-copy"
      data-outcome={outcome}
      aria-label={`Copy ${what}`}
      onClick={() => void copy()}
    >
      <Icon name={outcome === "copied" ? "check" : "copy"} />
      <span>{outcome === "none" ? "Copy" : outcome === "copied" ? "Copied" : "Copy by hand"}</span>
    </button>
  );
}

/** The clipboard is there only on https and loopback, and a person may have refused it. */
async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
