import { expect, it } from "vitest";
import { holdsCredential } from "../../src/http/credential-in-text.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { formatApiKey, formatCredential, mintCredential } from "../../src/vault/credential.ts";

it("is found in a text, in either form, and nothing else is taken for one", () => {
  const credential = mintCredential(systemRandom);
  const text86 = formatCredential(credential);
  for (const text of [
    text86,
    `See https://bindify.example/mcp/linear/${text86}/sse.`,
    `key: "${formatApiKey(credential, "live")}"`,
    `${"-".repeat(100)}\n${formatApiKey(credential, "test")}`,
  ]) {
    expect([text, holdsCredential(text)]).toEqual([text, true]);
  }
  for (const text of [
    "-".repeat(86),
    "_".repeat(101),
    "A".repeat(85),
    "bnd_live_…",
    "con_".padEnd(36, "0"),
  ]) {
    expect([text, holdsCredential(text)]).toEqual([text, false]);
  }
});
