import { catalogueOf, complete, type Catalogue } from "../../src/services/catalogue.ts";
import { custom } from "../../src/services/custom.ts";
import type { ServiceInput } from "../../src/services/service.ts";

type Validation = NonNullable<ServiceInput["key_modes"]>[number]["validation"];

/**
 * A catalogue of services whose own API checks the key, at the real server of support/node/odd-upstream.ts: as
 * GraphQL servers answer, by status, with HTML, and with an answer that unpacks to 20 MB.
 */
export function apiServices(origin: string): Catalogue {
  const header = { name: "Authorization", prefix: "" };
  const get = { kind: "request", method: "GET", header } as const;
  const checks: Record<string, Validation> = {
    graphql: {
      ...get,
      method: "POST",
      url: `${origin}/viewer`,
      headers: { "Content-Type": "application/json" },
      body: '{"query":"{viewer{id}}"}',
      expect: { status: 200, json_path: "data.viewer.id" },
    },
    rest: { ...get, url: `${origin}/user`, expect: { status: 200 } },
    html: { ...get, url: `${origin}/html`, expect: { status: 200, json_path: "id" } },
    bomb: { ...get, url: `${origin}/bomb`, expect: { status: 200 } },
  };
  const services = Object.entries(checks).map(([id, validation]) => serviceOf(id, origin, validation));
  return catalogueOf([custom, ...services].map(complete), { paused: [], preRegistered: new Set() });
}

function serviceOf(id: string, origin: string, validation: Validation): ServiceInput {
  return {
    id,
    name: `Service ${id}`,
    category: "Examples",
    description: "A service whose own API tells whether a key is good.",
    docs_url: "https://example.com/",
    status: "ga",
    verified: { on: "2026-11", by: "code" },
    endpoint: {
      url: `${origin}/open/200`,
      extra_headers: { "X-Extra": "always" },
      parameters: [{ name: "read_only", label: "Read only", pattern: "true" }],
    },
    key_modes: [
      { id: "key", label: "Key", fields: [{ name: "api_key", label: "Key", secret: true }], validation },
    ],
  };
}
