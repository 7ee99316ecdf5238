import { remind } from "../operations/background.ts";
import { refusedCalls } from "../operations/calling.ts";
import { read } from "../operations/changing.ts";
import { connectByKey } from "../operations/connecting.ts";
import { strangers } from "../operations/malformed.ts";
import { webhooks } from "../operations/paying.ts";
import { connectWhileKvFails, newWhileStorageFails } from "../operations/storage-fails.ts";
import { writeToOperator } from "../operations/writing.ts";
import { refreshingWith, type Plant } from "./plant.ts";

/** What is printed, or recorded by the platform. */
export const logged: readonly Plant[] = [
  {
    name: "a log line quotes the sign-in token",
    file: "http/session.ts",
    find: "const identity = await runtime.verify(token);",
    replace: 'console.info("signed in " + btoa("x" + token)); const identity = await runtime.verify(token);',
    operations: [read],
    sink: "worker console",
    place: /info/,
  },
  {
    name: "an exception escapes with the address",
    file: "worker.ts",
    find: "const secretPath = mayHoldCredential(request);",
    replace:
      'const secretPath = mayHoldCredential(request); if (request.method === "PUT") throw new Error("no " + request.url);',
    operations: [refusedCalls],
    sink: "platform trace",
    place: /trace/,
  },
  {
    name: "a new data key is printed",
    file: "vault/data-key.ts",
    find: "  const bytes = random(KEY_BYTES);",
    replace: '  const bytes = random(KEY_BYTES); console.info("made " + toHex(bytes).toUpperCase());',
    operations: [connectByKey, connectByKey, connectByKey, connectByKey],
    sink: "worker console",
    place: /info/,
  },
  {
    name: "the log quotes where a mail goes",
    file: "jobs/deliver-mail.ts",
    find: "const address = await mailer.addressOf(mail, ask);",
    replace: "const address = await mailer.addressOf(mail, ask); console.warn(JSON.stringify(address));",
    operations: [remind],
    sink: "worker console",
    place: /warn/,
  },
  {
    name: "the log quotes a sign-in token that was refused",
    file: "identity/verifier.ts",
    find: "if (error instanceof errors.JOSEError) return undefined;",
    replace: "console.error(token); if (error instanceof errors.JOSEError) return undefined;",
    operations: [strangers],
    sink: "worker console",
    place: /error/,
  },
  {
    name: "the log quotes what a token endpoint answered",
    file: "oauth/client.ts",
    find: "  const body = parse(await answer.text());",
    replace: "  const said = await answer.text(); console.debug(said); const body = parse(said);",
    operations: [refreshingWith("odd error")],
    sink: "worker console",
    place: /debug/,
  },
  {
    name: "a call by secret URL prints a line, to which the platform adds the address",
    file: "http/mcp.ts",
    find: "const address = parseMcpPath(pathOf(request.url));",
    replace: 'console.info("call"); const address = parseMcpPath(pathOf(request.url));',
    operations: [refusedCalls],
    sink: "platform trace",
    place: /trace/,
  },
  {
    name: "the log quotes Stripe's events",
    file: "http/webhook.ts",
    find: "const payload = textOf(bytes);",
    replace: "const payload = textOf(bytes); console.log(payload);",
    operations: [webhooks],
    sink: "worker console",
    place: /^log$/,
  },
  {
    name: "the log quotes a message to the operator",
    file: "http/support.ts",
    find: "const hash = await hashNonce(nonce);",
    replace: "const hash = await hashNonce(nonce); console.log(message);",
    operations: [writeToOperator],
    sink: "worker console",
    place: /^log$/,
    kind: "message to the operator",
  },
  {
    name: "the log quotes the help desk's token",
    file: "support/zoho-desk.ts",
    find: "held = { token, until:",
    replace: "console.info(token); held = { token, until:",
    operations: [writeToOperator],
    sink: "worker console",
    place: /info/,
    kind: "Zoho's access token",
  },
  {
    name: "the log quotes D1, which quotes what was bound",
    file: "app.ts",
    find: "const kind = errorKind(error);",
    replace: "const kind = errorKind(error); console.error(error.message);",
    operations: [newWhileStorageFails],
    sink: "worker console",
    place: /error/,
    kind: "e-mail address",
  },
  {
    name: "work that goes on after the answer quotes why it failed",
    file: "lib/defer.ts",
    find: 'log({ event: "deferred_failed", task, error: errorKind(error) });',
    replace: "console.warn(String(error));",
    operations: [connectWhileKvFails],
    sink: "worker console",
    place: /warn/,
    kind: "words of a storage error",
  },
];
