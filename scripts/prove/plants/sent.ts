import { remind } from "../operations/background.ts";
import { madeUpPaths, refusedCalls } from "../operations/calling.ts";
import { connectWithWrongKey, oddCallback } from "../operations/connecting.ts";
import { malformed } from "../operations/malformed.ts";
import { callingWith, type Plant } from "./plant.ts";

/** What is answered, mailed or sent to a service. */
export const sent: readonly Plant[] = [
  {
    name: "an error repeats the key that was sent",
    file: "proxy/admit.ts",
    find: 'if (row.service !== service) throw new Fault("unknown_credential");',
    replace:
      'if (row.service !== service) throw new Fault("service_not_available", { params: { reason: encodeURIComponent(toBase64Url(credential.key)) } });',
    operations: [refusedCalls],
    sink: "answer body",
    place: /another service/,
  },
  {
    name: "a refusal repeats what the service said of the key",
    file: "connect/probe.ts",
    find: "  await answer.body?.cancel();\n  throw new Fault(code, { params });",
    replace: "  throw new Fault(code, { params: { service: await answer.text() } });",
    operations: Array.from({ length: 6 }, () => connectWithWrongKey),
    sink: "answer body",
    place: /POST connections/,
  },
  {
    name: "an invalid body is quoted",
    file: "http/json-body.ts",
    find: 'throw new Fault("invalid_json");',
    replace: 'throw new Fault("service_not_available", { params: { reason: fromUtf8(bytes) } });',
    operations: [malformed],
    sink: "answer body",
    place: /malformed/,
  },
  {
    name: "the redirect address quotes its query",
    file: "http/oauth.ts",
    find: 'if (state === null || twice) return problem(new Fault("sign_in_unknown"));',
    replace:
      'if (state === null || twice) return problem(new Fault("service_not_available", { params: { reason: c.req.url } }));',
    operations: [oddCallback],
    sink: "answer body",
    place: /GET oauth\/callback/,
  },
  {
    name: "a header of the service is passed on that should not be",
    file: "proxy/headers.ts",
    find: '  "x-request-id",\n]);',
    replace: '  "x-request-id",\n  "x-echo",\n]);',
    operations: Array.from({ length: 3 }, () => callingWith("echo")),
    sink: "answer header",
    place: /^x-echo of/,
  },
  {
    name: "the client's credential is passed on to the service",
    file: "proxy/headers.ts",
    find: 'headers["accept-encoding"] = "identity";',
    replace:
      'headers["accept-encoding"] = "identity"; headers["x-client"] = client.get("authorization") ?? client.get("x-api-key") ?? "";',
    operations: Array.from({ length: 6 }, () => callingWith("echo")),
    sink: "request to a service",
    place: /\/mcp header x-client/,
  },
  {
    name: "redirects are followed with the key",
    file: "lib/outbound.ts",
    find: 'redirect: "manual",',
    replace: 'redirect: "follow",',
    operations: [callingWith("redirect"), callingWith("redirect"), callingWith("redirect")],
    sink: "request to a service",
    place: /nobody's/,
  },
  {
    name: "a mail holds the mail provider's key",
    file: "mail/smtp2go.ts",
    find: "text_body: text,",
    replace: "text_body: text + apiKey,",
    operations: [remind, remind],
    sink: "mail",
    place: /text_body/,
  },
  {
    name: "the key is sent in a second header",
    file: "connect/probe.ts",
    find: '"user-agent": deps.site.brand }',
    replace: '"user-agent": deps.site.brand + JSON.stringify(target.headers) }',
    operations: [],
    sink: "request to a service",
    place: /header user-agent/,
  },
  {
    name: "an address that a client made up is quoted",
    file: "app.ts",
    find: 'app.notFound(() => problem(new Fault("not_found")));',
    replace:
      'app.notFound((c) => problem(new Fault("service_not_available", { params: { reason: c.req.path } })));',
    operations: [madeUpPaths],
    sink: "answer body",
    place: /made-up/,
  },
  {
    name: "a wrong field is quoted",
    file: "services/key-mode.ts",
    find: "${field.label} is longer than ${longestField} characters.",
    replace: "${field.label} is too long: ${value}",
    operations: [malformed],
    sink: "answer body",
    place: /malformed/,
  },
];
