import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/lib/files.ts";
import { howToGetChromium } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";

/** Components that write down what their effects do. Frames come when `frame()` is called, and not before. */
const source = `
import { ErrorBoundary, render, useState } from "hono/jsx/dom";
import { useEffect } from "./src/dashboard/state/use-effect.ts";
import { useStore } from "./src/dashboard/state/use-store.ts";

const said = [];
const frames = [];
window.requestAnimationFrame = (then) => frames.push(then);
window.frame = () => frames.splice(0).forEach((then) => then());
window.heard = () => said.splice(0).join(" ");

const listeners = new Set();
let stored = 1;
window.store = (value) => {
  stored = value;
  for (const listener of [...listeners]) listener();
};
const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
window.listening = () => listeners.size;

function Child({ name }) {
  if (window.broken) throw new Error("broken");
  const value = useStore(subscribe, () => stored);
  useEffect(() => {
    said.push("+" + name);
    return () => said.push("-" + name);
  }, [name]);
  return <p>{name + " " + value}</p>;
}

function Parent() {
  const [shown, setShown] = useState("none");
  const [, setTurn] = useState(0);
  window.show = setShown;
  window.again = () => setTurn((turn) => turn + 1);
  return (
    <ErrorBoundary fallback={<i>broken</i>}>
      {shown === "none" ? <b>none</b> : <Child name={shown} />}
    </ErrorBoundary>
  );
}
render(<Parent />, document.body);
`;

const chromium = useBrowser();
let script = "";

beforeAll(async () => {
  const built = await build({
    stdin: { contents: source, resolveDir: root, loader: "tsx" },
    bundle: true,
    write: false,
    jsx: "automatic",
    jsxImportSource: "hono/jsx/dom",
  });
  script = built.outputFiles[0]?.text ?? "";
});

/** A page with those components; each step is evaluated there once what was asked for before is drawn. */
async function open() {
  const { browser } = chromium;
  if (browser === undefined) throw new Error(howToGetChromium);
  const page = await browser.newPage();
  await page.addScriptTag({ content: script });
  return {
    page,
    steps: async (...all: readonly string[]): Promise<string> => {
      for (const step of all) {
        await page.evaluate(step);
        // Hono draws in a microtask.
        await page.evaluate("new Promise((drawn) => setTimeout(drawn))");
      }
      return String(await page.evaluate("heard()"));
    },
    body: () => page.evaluate("document.body.innerText"),
  };
}

describe("an effect of the page", () => {
  skipWithoutBrowser();

  it("runs once, and is undone once, however often its component is drawn before the frame", async () => {
    const { page, steps } = await open();
    expect(await steps("show('a')", "again()", "again()", "frame()", "frame()")).toBe("+a");
    expect(await steps("again()", "frame()")).toBe("");
    expect(await steps("show('none')", "frame()")).toBe("-a");
    await page.close();
  });

  it("never runs for what is gone before the frame, which hears of no store either", async () => {
    const { page, steps, body } = await open();
    expect(await steps("show('a')", "show('none')", "frame()")).toBe("");
    expect(await page.evaluate("listening()")).toBe(0);
    await steps("store(2)", "store(3)", "frame()");
    expect(await body()).toBe("none");
    await page.close();
  });

  it("runs for the newest dependencies alone", async () => {
    const { page, steps } = await open();
    expect(await steps("show('a')", "show('b')", "show('c')", "frame()")).toBe("+c");
    expect(await steps("show('d')", "show('e')", "frame()")).toBe("-c +e");
    await page.close();
  });

  it("runs again for what an error boundary shows again", async () => {
    const { page, steps, body } = await open();
    expect(await steps("show('a')", "frame()")).toBe("+a");
    expect(await steps("broken = true; again()", "frame()")).toBe("-a");
    expect(await body()).toBe("broken");
    expect(await steps("broken = false; again()", "frame()")).toBe("+a");
    expect(await body()).toBe("a 1");
    await page.close();
  });

  it("shows what a store has, also where it changed before the frame", async () => {
    const { page, steps, body } = await open();
    await steps("show('a')", "store(2)");
    expect(await body()).toBe("a 1");
    await steps("frame()");
    expect(await body()).toBe("a 2");
    await steps("store(3)");
    expect(await body()).toBe("a 3");
    expect(await page.evaluate("listening()")).toBe(1);
    await page.close();
  });
});
