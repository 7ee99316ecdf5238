import type { FaultCode } from "../../src/lib/fault.ts";

const json = (value: unknown) => JSON.stringify(value);

/**
 * Bodies of `POST /api/connections` that must leave nothing: name, body, code, and the path of a field that the
 * answer names. `url` is a server that would take the key `good-key`.
 */
export function badBodies(url: string): readonly BadBody[] {
  const good = { service: "custom", url, fields: { api_key: "good-key" } };
  return [
    ["no body", "", "invalid_json"],
    ["half an object", '{"service":', "invalid_json"],
    ["a final comma", '{"service":"custom",}', "invalid_json"],
    ["two documents", `${json(good)}${json(good)}`, "invalid_json"],
    ["a byte-order mark", `\uFEFF${json(good)}`, "invalid_json"],
    ["null", "null", "invalid_request", ""],
    ["an array", json([good]), "invalid_request", ""],
    ["text", '"custom"', "invalid_request", ""],
    ["an empty object", "{}", "invalid_request", "service"],
    ["no fields", json({ service: "custom", url: url }), "invalid_request", "fields"],
    ["a number as service", json({ ...good, service: 5 }), "invalid_request", "service"],
    ["a list of fields", json({ ...good, fields: ["good-key"] }), "invalid_request", "fields"],
    ["a number as key", json({ ...good, fields: { api_key: 5 } }), "invalid_request", "fields.api_key"],
    ["null as key", json({ ...good, fields: { api_key: null } }), "invalid_request", "fields.api_key"],
    ["an empty key", json({ ...good, fields: { api_key: " " } }), "invalid_request", "fields.api_key"],
    [
      "a key of two lines",
      json({ ...good, fields: { api_key: "a\r\nX: b" } }),
      "invalid_request",
      "fields.api_key",
    ],
    [
      "a key that is too long",
      json({ ...good, fields: { api_key: "k".repeat(5000) } }),
      "invalid_request",
      "fields.api_key",
    ],
    [
      "an unknown key field",
      json({ ...good, fields: { api_key: "k", nope: "x" } }),
      "invalid_request",
      "fields.nope",
    ],
    [
      "a key, and does not mind a field called __proto__",
      `{"service":"custom","url":"${url}","fields":{"api_key":"k","__proto__":"x"}}`,
      "key_rejected",
    ],
    ["an unknown field", json({ ...good, admin: true }), "invalid_request", ""],
    ["an unknown storage", json({ ...good, storage: "plain" }), "invalid_request", "storage"],
    ["a header that is text", json({ ...good, header: "X-Key" }), "invalid_request", "header"],
    [
      "an unknown part of the header",
      json({ ...good, header: { name: "X-Key", value: "1" } }),
      "invalid_request",
      "header",
    ],
    [
      "a header name with a line break",
      json({ ...good, header: { name: "X\r\nY" } }),
      "invalid_request",
      "header.name",
    ],
    [
      "a header with another meaning",
      json({ ...good, header: { name: "Cookie" } }),
      "invalid_request",
      "header.name",
    ],
    [
      "another header for a service with its own",
      json({ service: "demo", fields: { api_key: "k" }, header: { name: "X-Key" } }),
      "invalid_request",
      "header",
    ],
    ["an unknown mode", json({ ...good, mode: "telepathy" }), "invalid_request", "mode"],
    ["an empty label", json({ ...good, label: "  " }), "invalid_request", "label"],
    ["a label that is too long", json({ ...good, label: "x".repeat(101) }), "invalid_request", "label"],
    ["a label of two lines", json({ ...good, label: "a\nb" }), "invalid_request", "label"],
    [
      "a label with half a character",
      `{"service":"custom","url":"${url}","fields":{"api_key":"k"},"label":"\\ud800"}`,
      "invalid_request",
      "label",
    ],
    [
      "no url where one is needed",
      json({ service: "custom", fields: { api_key: "k" } }),
      "invalid_request",
      "url",
    ],
    ["a url that is none", json({ ...good, url: "mcp.example.com" }), "invalid_request", "url"],
    [
      "a url with a password",
      json({ ...good, url: "https://me:secret@mcp.example.com/" }),
      "invalid_request",
      "url",
    ],
    ["a url without https", json({ ...good, url: "http://mcp.example.com/mcp" }), "invalid_request", "url"],
    [
      "a url that is too long",
      json({ ...good, url: `https://mcp.example.com/${"a".repeat(2048)}` }),
      "invalid_request",
      "url",
    ],
    [
      "another url for a service with its own",
      json({ service: "demo", url: "https://mcp.example.com/", fields: { api_key: "k" } }),
      "invalid_request",
      "url",
    ],
    ["an unknown service", json({ ...good, service: "nosuch" }), "unknown_service"],
    ["a service called like a property", json({ ...good, service: "__proto__" }), "unknown_service"],
    [
      "a service without keys",
      json({ service: "notion", fields: { api_key: "k" } }),
      "service_not_available",
    ],
    ["30,000 nested lists", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, "invalid_request", ""],
    [
      "10,000 nested objects in a field",
      `{"service":"custom","fields":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
      "invalid_request",
      "fields.a",
    ],
    ["64 KiB and one byte", `"${"x".repeat(65_535)}"`, "payload_too_large"],
    ["a megabyte", `"${"x".repeat(1_048_576)}"`, "payload_too_large"],
  ];
}

type BadBody = readonly [name: string, body: string, code: FaultCode, path?: string];
