import { html, raw } from "hono/html";
import { utf8 } from "../lib/bytes.ts";

/** One small sheet for the pages that the worker writes itself: readable in light and dark, on a phone and on paper. */
const css = `:root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}
body{margin:0 auto;max-width:46rem;padding:1.5rem 1rem 4rem}
h1{line-height:1.2}h2{margin-top:2.5rem;border-bottom:1px solid color-mix(in srgb,currentColor 25%,transparent)}
code,pre{font-family:ui-monospace,monospace;font-size:.92em}
pre{overflow-x:auto;padding:.75rem;border:1px solid color-mix(in srgb,currentColor 25%,transparent);border-radius:.4rem}
.route{display:flex;flex-wrap:wrap;gap:.1rem .6rem;align-items:baseline;margin:1.6rem 0 .2rem;font-size:1rem}
.route code{overflow-wrap:anywhere}.method{font-weight:700}.note{opacity:.8;font-size:.92em;margin:.1rem 0}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}
summary{cursor:pointer}a{color:inherit}`;

// In one piece: the hash is of exactly what stands between the tags.
const sheet = raw(`<style>${css}</style>`);

let policy: string | undefined;

/** The sheet is allowed by its hash; nothing else may load, run, frame or be sent. */
async function contentSecurityPolicy(): Promise<string> {
  if (policy !== undefined) return policy;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(css)));
  const hash = btoa(String.fromCharCode(...digest));
  policy = `default-src 'none'; style-src 'sha256-${hash}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`;
  return policy;
}

/** A page of ours: no script, no third-party resource. `body` is what `html` made, so it is escaped. */
export async function page(title: string, body: ReturnType<typeof html>): Promise<Response> {
  const text = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${sheet}
      </head>
      <body>
        ${body}
      </body>
    </html> `;
  return new Response(text.toString(), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": await contentSecurityPolicy(),
      "cache-control": "public, max-age=300",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    },
  });
}
