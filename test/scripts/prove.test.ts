import { describe, expect, it } from "vitest";
import { bundleWorker } from "../../scripts/lib/worker-config.ts";
import { createDice } from "../../scripts/prove/dice.ts";
import { createCollection, type Allowance } from "../../scripts/prove/evidence.ts";
import { judge } from "../../scripts/prove/judge.ts";
import { readOptions } from "../../scripts/prove/options.ts";
import { plants } from "../../scripts/prove/plants/index.ts";
import { packPlants } from "../../scripts/prove/run.ts";
import { createSecrets } from "../../scripts/prove/secrets.ts";
import { headersOf, outage, randomFaults } from "../../scripts/prove/storage-faults.ts";
import { faultPlanSchema, planHeader, type FaultPlan } from "../support/fault-plan.ts";
import { patchSources } from "../support/node/source-patches.ts";

const unchanged = bundleWorker();

describe("planted leaks", () => {
  it.each(plants.map((plant) => [plant.name, plant] as const))(
    "T91 %s: fits the source",
    async (_, plant) => {
      expect(await bundleWorker(undefined, [patchSources([plant])])).not.toBe(await unchanged);
    },
  );

  it.each([
    ["whose line is gone", { file: "worker.ts", find: "not in there", replace: "" }],
    ["whose line is there twice", { file: "worker.ts", find: "import", replace: "" }],
    ["in a file that is not part of the worker", { file: "lib/gone.ts", find: "x", replace: "" }],
  ])("T91 one %s is an error", async (_, patch) => {
    await expect(bundleWorker(undefined, [patchSources([patch])])).rejects.toThrow();
  });

  it("share a build only where they are found at different places and leave each other be", () => {
    const builds = packPlants(plants, 13);
    expect(builds.flat()).toHaveLength(plants.length);
    for (const build of builds) {
      const places = build.map(({ sink, place }) => `${sink} ${place.source}`);
      expect(new Set(places).size).toBe(places.length);
      if (build.some(({ alone }) => alone)) expect(build).toHaveLength(1);
    }
    expect(packPlants(plants, 1)).toHaveLength(plants.length);
  });
});

describe("what is judged", () => {
  const secrets = createSecrets(createDice(1));
  const own = secrets.make("service API key", "own");
  const other = secrets.make("service API key", "other");
  const place = (text: string, allowed: readonly Allowance[]) => {
    const collected = createCollection();
    collected.add("answer body", "call", text, allowed);
    return judge(secrets, collected);
  };
  const rule = "what a service answers to a call";

  it("T90 a secret is allowed only where its own rule and its owner are", () => {
    const allowed = [{ rule, owner: "own" }] as const;
    expect(place(own, allowed).leaks).toEqual([]);
    expect(place(own, allowed).allowed.get(rule)).toBe(1);
    expect(place(other, allowed).leaks).toMatchObject([{ kind: "service API key", place: "call" }]);
    expect(place(own, []).leaks).toHaveLength(1);
    expect(place(own, [{ rule: "the record of a person" }]).leaks).toHaveLength(1);
  });

  it("an allowance that comes later counts, as for the credential that an answer turns out to show", () => {
    const allowed: Allowance[] = [];
    const collected = createCollection();
    collected.add("answer body", "call", own, allowed);
    allowed.push({ rule, owner: "own" });
    expect(judge(secrets, collected).leaks).toEqual([]);
  });
});

function draw(seed: number): readonly (string | number)[] {
  const dice = createDice(seed);
  return [dice.text(20), dice.below(1000), dice.child().text(5)];
}

function plansOf(seed: number): readonly (FaultPlan | undefined)[] {
  const faults = randomFaults(createDice(seed), createSecrets(createDice(seed + 1)));
  return Array.from({ length: 200 }, () => faults("request"));
}

describe("storage that is made to fail", () => {
  it("fails again in the same way for the same seed, of either store, once or from then on", () => {
    const plans = plansOf(7);
    expect(plans).toEqual(plansOf(7));
    expect(plans).not.toEqual(plansOf(8));
    expect(plans).toContain(undefined);
    const drawn = plans.filter((plan) => plan !== undefined);
    expect(new Set(drawn.map(({ only }) => only))).toEqual(new Set(["any", "d1", "kv"]));
    expect(new Set(drawn.map(({ first, last }) => first === last))).toEqual(new Set([true, false]));
  });

  it("is told by a header, with words that are looked for", () => {
    const secrets = createSecrets(createDice(1));
    const header = headersOf(outage("d1", 2, secrets)("request"))[planHeader] ?? "";
    const plan = faultPlanSchema.parse(JSON.parse(header));
    expect(plan).toMatchObject({ first: 2, only: "d1", time: "before" });
    const words = { kind: "words of a storage error", bytes: new TextEncoder().encode(plan.words) };
    expect(secrets.all).toMatchObject([words]);
    expect(headersOf(undefined)).toEqual({});
  });
});

describe("its options", () => {
  it("a seed repeats the choices", () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it("a mistake is a sentence", () => {
    expect(() => readOptions(["--seconds", "soon"])).toThrow("--seconds takes a whole number");
    expect(() => readOptions(["--sed", "1"])).toThrow("--help");
    expect(readOptions(["--quick"]).seconds).toBeLessThan(readOptions([]).seconds);
  });
});
