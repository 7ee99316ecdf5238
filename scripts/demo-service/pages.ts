const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escape = (value: string) => value.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");

const style = `
:root { color-scheme: light dark; font: 1.05rem/1.6 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 27rem; padding: 12vh 1.25rem 2rem; }
h1 { font-size: 1.4rem; line-height: 1.3; }
label { display: block; margin: 1.5rem 0; }
input { font: inherit; display: block; width: 100%; box-sizing: border-box; padding: .5rem .65rem; margin-top: .3rem; }
button { font: inherit; padding: .55rem 1.3rem; border-radius: .4rem; border: 1px solid; cursor: pointer; margin-right: .6rem; }
button.main { background: #14532d; border-color: #14532d; color: #fff; }
.quiet { font-size: .9rem; opacity: .75; }
code { font-size: .92em; }`;

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><style>${style}</style></head>
<body><main>${body}</main></body></html>`;
}

/** Scripts nowhere, framing nowhere. `form-action` stays open: browsers apply it to the redirect that follows. */
export const pageHeaders = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

export function consentPage(client: string, returnsTo: string, name: string): string {
  return page(
    `Allow ${client}? – Demo notes`,
    `<h1>Allow <em>${escape(client)}</em> to read and add your notes?</h1>
<p>Demo notes is a pretend service on this machine. You may sign in with any name; each name has notes of its own.</p>
<form method="post">
<label>Your name <input name="name" value="${escape(name)}" required maxlength="40" autocomplete="off"></label>
<p><button class="main" name="action" value="allow">Allow</button>
<button name="action" value="deny" formnovalidate>Cancel</button></p>
</form>
<p class="quiet">Afterwards you return to ${escape(returnsTo)}.</p>`,
  );
}

export function errorPage(message: string): string {
  return page(
    "Demo notes",
    `<h1>This sign-in did not work</h1><p>${escape(message)}</p>
<p class="quiet">Go back to where you came from and try once more.</p>`,
  );
}

export function homePage(url: string): string {
  return page(
    "Demo notes",
    `<h1>Demo notes</h1><p>A pretend service with a real MCP server at <code>${escape(url)}/mcp</code>, to try Bindify with.
Connect it with the key <code>demo-notes-key</code>, or sign in with any name.</p>
<p class="quiet">Notes are kept in memory and are gone when it stops.</p>`,
  );
}
