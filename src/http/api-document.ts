import { Hono } from "hono";
import { html } from "hono/html";
import type { AppEnv } from "./context.ts";
import { openApiDocument } from "./openapi.ts";
import { operations, type Access, type Operation } from "./operations.ts";
import { page } from "./page.ts";
import { securityPage } from "./security-page.ts";

/** What the API says of itself: for programs, and for people. */
export const apiDocument = new Hono<AppEnv>()
  .get("/openapi.json", (c) =>
    c.json(openApiDocument(c.env.runtime.site), 200, {
      "cache-control": "public, max-age=300",
      "x-content-type-options": "nosniff",
      "access-control-allow-origin": "*",
    }),
  )
  .get("/docs", async (c) => await docsPage(c.env.runtime.site))
  .get("/security", async (c) => await securityPage(c.env.runtime.site));

const who: Readonly<Record<Access, string>> = {
  public: "Anyone.",
  read: "You, or an API token of scope read or manage.",
  manage: "You, or an API token of scope manage.",
  owner: "You alone, signed in.",
};

async function docsPage(site: { readonly brand: string; readonly publicUrl: string }): Promise<Response> {
  const tags = [...new Set(operations.map(({ tag }) => tag))];
  const body = html`<h1>${site.brand} API</h1>
    <p>
      Everything that the page does, a program can do. Send a sign-in token or an API token as
      <code>Authorization: Bearer …</code>; bodies are JSON; times are RFC 3339 in UTC. What fails is answered
      with a problem document (RFC 9457) whose <code>code</code> stays the same. Lists come in pages: give
      <code>next_cursor</code> back as <code>cursor</code>. The same as an OpenAPI 3.1 document:
      <a href="/openapi.json">/openapi.json</a>. What is promised and what is not:
      <a href="/security">/security</a>.
    </p>
    <pre>curl -H "Authorization: Bearer $TOKEN" ${site.publicUrl}/api/connections</pre>
    ${tags.map(
      (tag) =>
        html`<h2>${tag}</h2>
          ${operations.filter((one) => one.tag === tag).map((one) => describe(one))}`,
    )}`;
  return await page(`${site.brand} API`, body);
}

function describe(operation: Operation) {
  const { method, path, summary, access, query, body, answers, once, presented } = operation;
  return html`<h3 class="route"><span class="method">${method.toUpperCase()}</span> <code>${path}</code></h3>
    <p>${summary}. <span class="note">${who[access]}</span></p>
    ${query === undefined ? "" : html`<p class="note">Query: ${names(query.shape)}</p>`}
    ${body === undefined ? "" : html`<p class="note">Body: ${membersOf(body)}</p>`}
    <p class="note">
      Answers:
      ${Object.keys(answers).join(", ")}${once ? "; takes an Idempotency-Key" : ""}${
        presented ? "; takes the present credential in Bindify-Credential" : ""
      }
    </p>`;
}

function names(shape: object) {
  return Object.keys(shape).map((name, at) => html`${at === 0 ? "" : ", "}<code>${name}</code>`);
}

function membersOf(schema: NonNullable<Operation["body"]>) {
  return "shape" in schema && typeof schema.shape === "object" && schema.shape !== null
    ? names(schema.shape)
    : "see the OpenAPI document";
}
