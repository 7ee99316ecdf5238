import { demoKey } from "../demo-service/demo-service.ts";
import { Problem, readArguments, runCommand } from "../lib/command.ts";
import { requireInstance } from "../lib/instance.ts";
import { signLocalToken } from "../lib/local-token.ts";
import { createApi } from "./api.ts";
import { expectRefusal, openClient, useNotes } from "./client.ts";
import { findLeaks, type Needle } from "./leaks.ts";
import { maskCredential, show, step } from "./print.ts";
import { readStored } from "./stored.ts";

const usage = `
npm run demo

The main job against the local Bindify (\`npm start\` must be running): connects "Demo notes" with a key, calls it
through the secret URL and with the API key, shows what is stored, disconnects, and shows the refusal. It uses the
user "demo" and exits with 1 if anything is not as promised.
`;

await runCommand(usage, async () => {
  readArguments({ options: {} });
  const instance = await requireInstance();
  const api = createApi(instance.url, await signLocalToken(instance, "demo"));
  const began = performance.now();

  step("Connect a service with its key, through the JSON API");
  const { connection, credential } = await api.connect({
    service: "demo",
    fields: { api_key: demoKey },
    label: "npm run demo",
  });
  const { secret_url: secretUrl, api_key: apiKey, mcp_url: mcpUrl } = credential;
  const secret = secretUrl.slice(secretUrl.lastIndexOf("/") + 1);
  const mask = (text: string) => maskCredential(text, secret);
  show("service", `${connection.service_name}, at ${connection.upstream_url}`);
  show("connection", connection.id);
  show("secret URL", mask(secretUrl));
  show("API key", mask(apiKey));
  show("", "Answered once, stored nowhere; masked here, because they open the connection.");

  try {
    step("Use it: the official MCP client, by secret URL");
    await useNotes({ url: secretUrl }, "Bought milk.");

    step("Use it: the same, by API key in a header");
    await useNotes({ url: mcpUrl, apiKey, legacy: true }, "Called Bindify.");

    step("What the database and the blob store hold of it");
    const stored = await readStored(instance.folder, connection.id);
    for (const [name, value] of stored.columns) show(name, value);
    const halves = Buffer.from(secret, "base64url");
    const needles: readonly Needle[] = [
      { what: "the service's key", bytes: Buffer.from(demoKey) },
      { what: "the credential", bytes: Buffer.from(secret) },
      { what: "the credential's first half", bytes: halves.subarray(0, 32) },
      { what: "the credential's second half", bytes: halves.subarray(32) },
    ];
    const search = await findLeaks(instance.folder, needles);
    if (search.leaks.length > 0) throw new Problem(`Not as promised: ${search.leaks.join("; ")}.`);
    show("searched", `${search.files} files, ${Math.ceil(search.bytes / 1024)} KiB: database, blobs, log`);
    show("for", needles.map((needle) => needle.what).join(", "));
    show("as", "plain bytes, hexadecimal, base64, base64url");
    show("found", "nothing");
  } finally {
    step("Disconnect");
    const { connection: after, revocation } = await api.disconnect(connection.id);
    show("status", after.status);
    show("at the service", revocation.detail);
  }

  step("Try the secret URL again");
  show("refused with", mask(await expectRefusal(() => openClient({ url: secretUrl }))));

  console.log(`\nAs promised, in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  return 0;
});
