import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findLeaks } from "../../scripts/demo/leaks.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-leaks-"));
  await mkdir(join(folder, "v3/kv"), { recursive: true });
  await writeFile(join(folder, "worker.log"), "nothing to see\n");
});
afterAll(async () => rm(folder, { recursive: true }));

const secret = randomBytes(32);
const needles = [{ what: "the secret", bytes: secret }];
const among = (content: Buffer | string) =>
  Buffer.concat([randomBytes(50), Buffer.from(content), randomBytes(50)]);

describe("the demo's search for secrets", () => {
  it.each([
    ["as it is", among(secret)],
    ["hexadecimal", among(secret.toString("hex"))],
    ["capital hexadecimal", among(secret.toString("hex").toUpperCase())],
    ["base64", among(secret.toString("base64"))],
    ["base64url", among(secret.toString("base64url"))],
    [
      "inside base64, one byte on",
      among(Buffer.concat([randomBytes(1), secret, randomBytes(9)]).toString("base64")),
    ],
    [
      "inside base64, two bytes on",
      among(Buffer.concat([randomBytes(2), secret, randomBytes(9)]).toString("base64")),
    ],
    ["inside base64url, three on", among(Buffer.concat([randomBytes(3), secret]).toString("base64url"))],
  ])("finds a secret %s", async (_, content) => {
    await writeFile(join(folder, "v3/kv/blob"), content);
    expect((await findLeaks(folder, needles)).leaks).toEqual(["the secret is in v3/kv/blob"]);
  });

  it("finds nothing where there is nothing", async () => {
    await writeFile(join(folder, "v3/kv/blob"), randomBytes(200));
    expect(await findLeaks(folder, needles)).toMatchObject({ files: 2, leaks: [] });
  });
});
