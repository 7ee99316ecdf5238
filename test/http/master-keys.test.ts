import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { faults } from "../../src/lib/fault.ts";
import { rpcCall } from "../support/answers.ts";
import { createInstance, type Instance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { abandonStatements, removeWrappingsStatement, silence } from "../../src/store/rotation-queries.ts";
import { all, execute, makeKey, pass, request, wipe, type MadeKey } from "../support/rotation.ts";
import { upstream } from "../support/upstream.ts";

const everyMinute = "* * * * *";
const minute = 60_000;
let [old, target]: [MadeKey, MadeKey] = [
  { hex: "", fingerprint: "" },
  { hex: "", fingerprint: "" },
];
let [before, after, only]: Instance[] = [];
let person: Person;
let connected: Connected[];

const deployment = (...keys: readonly MadeKey[]) =>
  createInstance({ MANAGED_ENCRYPTION_KEYS: JSON.stringify(keys.map(({ hex }) => ({ key: hex }))) });

function given(instance: Instance | undefined): Instance {
  if (instance === undefined) throw new Error("not set up");
  return instance;
}

/** A refusal is a JSON-RPC error, whose HTTP status is 200 too: what counts is whether there is a result. */
const answerSchema = z.looseObject({
  result: z.unknown().optional(),
  error: z.looseObject({ code: z.number() }).optional(),
});

/** What a deployment answers a call: `served`, or the code of its refusal. */
async function ask(instance: Instance | undefined, path: string): Promise<"served" | number> {
  const response = await given(instance).fetch(path, rpcCall());
  const { result, error } = answerSchema.parse(await response.json());
  return result === undefined ? (error?.code ?? response.status) : "served";
}

/** What each connection is answered by these deployments. */
async function answers(...instances: readonly (Instance | undefined)[]): Promise<readonly unknown[]> {
  const answered: unknown[] = [];
  for (const instance of instances) {
    for (const { secretPath } of connected) answered.push(await ask(instance, secretPath));
  }
  return answered;
}

const served = (times: number) => Array.from({ length: times }, () => "served");

beforeAll(async () => {
  [old, target] = [await makeKey(), await makeKey()];
  [before, after, only] = [deployment(old), deployment(old, target), deployment(target)];
  person = await createPerson(before);
  const url = upstream().url;
  connected = [
    await person.connect({ url, storage: "managed" }),
    await (await createPerson(before)).connect({ url, storage: "managed" }),
  ];
});

describe("two deployments with other master keys on one storage", () => {
  it("both serve every connection throughout a rotation, until the old key is removed", async () => {
    expect(await answers(before, after)).toEqual(served(4));
    await request(target.fingerprint);
    for (const instance of [before, after, before, after]) {
      await given(instance).cron(everyMinute);
      expect(await answers(before, after)).toEqual(served(4));
    }
    expect(await answers(only), "the new key alone would do").toEqual(served(2));
    await pass(silence + minute);
    await given(after).cron(everyMinute);
    expect(await all("SELECT 1 FROM rotations WHERE finished_at IS NOT NULL")).toHaveLength(1);
    await env.DB.prepare(removeWrappingsStatement(old.fingerprint)).run();
    expect(await answers(after, only)).toEqual(served(4));
  });

  it("T9 without the key every call is told which thing is missing, and nothing is decrypted", async () => {
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    expect(await ask(before, connected[0]?.secretPath ?? "")).toBe(faults.master_key_missing.rpc);
    expect(decrypt).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it("T9 nor does a workspace get a second data key beside the one that cannot be opened", async () => {
    const again = await person.call("POST", "/api/connections", {
      service: "custom",
      url: upstream().url,
      fields: { api_key: "good-key" },
      storage: "managed",
    });
    expect([again.status, await again.json()]).toEqual([
      503,
      expect.objectContaining({ code: "master_key_missing" }),
    ]);
  });

  it("T11 a wrong second half is refused before any decryption, also in managed mode", async () => {
    const [managed] = connected;
    const [one, other] = [connected[0]?.text ?? "", connected[1]?.text ?? ""];
    const mixed = one.slice(0, 43) + other.slice(43);
    const decrypt = vi.spyOn(crypto.subtle, "decrypt");
    const path = managed?.secretPath.replace(one, mixed) ?? "";
    expect(path).not.toBe(managed?.secretPath);
    expect(await ask(only, path)).toBe(faults.unknown_credential.rpc);
    expect(decrypt).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

describe("a master key that is lost for good", () => {
  it("is let go only where no deployment has it, and then people can connect again", async () => {
    await wipe();
    const [gone, next] = [await makeKey(), await makeKey()];
    const [had, has] = [deployment(gone), deployment(next)];
    const owner = await createPerson(had);
    const url = upstream().url;
    connected = [await owner.connect({ url, storage: "managed" })];
    await execute(abandonStatements(gone.fingerprint));
    expect(await answers(had), "nobody reports yet").toEqual(served(1));
    await had.cron(everyMinute);
    await execute(abandonStatements(gone.fingerprint));
    expect(await answers(had), "a deployment has it").toEqual(served(1));

    await pass(silence + minute);
    await has.cron(everyMinute);
    expect(await answers(has)).toEqual([faults.master_key_missing.rpc]);
    await execute(abandonStatements(gone.fingerprint));
    expect(await answers(has)).toEqual([faults.reauthorize_required.rpc]);
    const again = await (await createPerson(has, owner.name)).connect({ url, storage: "managed" });
    connected = [again];
    expect(await answers(has)).toEqual(served(1));
    await has.cron(everyMinute);
    expect(await all("SELECT 1 FROM orphaned_keys")).toEqual([]);
  });
});
