import { describe, expect, it } from "vitest";
import { workInLanes } from "../../src/jobs/lanes.ts";

/** Rows named after their provider, e.g. `a1`. */
async function run(
  rows: readonly string[],
  work: (row: string) => Promise<boolean>,
  mayBegin: () => boolean = () => true,
): Promise<{ readonly rest: readonly string[]; readonly most: number; readonly pages: number }> {
  const left = [...rows];
  let [open, most, pages] = [0, 0, 0];
  const rest = await workInLanes({
    next: () => {
      pages += 1;
      return Promise.resolve(left.splice(0, 100));
    },
    laneOf: (row) => row.slice(0, 1),
    work: async (row) => {
      open += 1;
      most = Math.max(most, open);
      const good = await work(row);
      open -= 1;
      return good;
    },
    mayBegin,
  });
  return { rest, most, pages };
}

const many = (lane: string, count: number) => Array.from({ length: count }, (_, at) => `${lane}${at}`);
const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

describe("work in lanes", () => {
  it("keeps the order within a lane, and at most six under way in all", async () => {
    const order: string[] = [];
    const { most, rest } = await run(
      ["a", "b", "c", "d", "e"].flatMap((lane) => many(lane, 4)),
      async (row) => {
        order.push(row);
        await soon();
        return true;
      },
    );
    expect(most).toBe(6);
    expect(rest).toEqual([]);
    expect(order).toHaveLength(20);
    expect(order.filter((row) => row.startsWith("a"))).toEqual(many("a", 4));
  });

  it("a provider with hundreds of rows does not hide the one behind it", async () => {
    const order: string[] = [];
    await run([...many("a", 150), "b0"], async (row) => {
      order.push(row);
      await soon();
      return true;
    });
    expect(order.indexOf("b0")).toBe(2);
    expect(order).toHaveLength(151);
  });

  it("a provider that fails three times in a row rests; one that fails now and then does not", async () => {
    const asked: string[] = [];
    const { rest } = await run([...many("a", 20), ...many("b", 20)], async (row) => {
      asked.push(row);
      await soon();
      return row.startsWith("b") && Number(row.slice(1)) % 3 !== 0;
    });
    const ofA = asked.filter((row) => row.startsWith("a")).length;
    expect(ofA).toBeGreaterThanOrEqual(3);
    expect(ofA).toBeLessThanOrEqual(4);
    expect(rest).toEqual(many("a", 20).slice(ofA));
    expect(asked.filter((row) => row.startsWith("b"))).toHaveLength(20);
  });

  it("ends what it began and begins no more when it may not", async () => {
    let begun = 0;
    const { rest } = await run(
      many("a", 9),
      async () => {
        begun += 1;
        await soon();
        return true;
      },
      () => begun < 3,
    );
    expect(begun).toBe(3);
    expect(rest, "they are due still").toEqual([]);
  });

  it("reads no further than it has to look", async () => {
    const { pages } = await run(
      many("a", 600),
      async () => {
        await soon();
        return true;
      },
      () => true,
    );
    expect(pages).toBe(7);
    let begun = 0;
    const few = await run(
      many("a", 600),
      async () => {
        begun += 1;
        await soon();
        return true;
      },
      () => begun < 3,
    );
    expect(few.pages).toBeLessThanOrEqual(4);
  });
});

describe("what throws", () => {
  it.each(["next", "work"])("%s: what was begun ends first, and no more is looked for", async (broken) => {
    let [pages, ended] = [0, 0];
    const running = workInLanes({
      next: async () => {
        pages += 1;
        if (pages > 1 && broken === "next") throw new Error("no page");
        return await Promise.resolve(pages > 1 ? [] : ["a0", "b0", "c0"]);
      },
      laneOf: (row) => row.slice(0, 1),
      work: async (row) => {
        await soon();
        if (row === "a0" && broken === "work") throw new Error("no work");
        await soon();
        ended += 1;
        return true;
      },
      mayBegin: () => true,
    });
    await expect(running).rejects.toThrow(broken === "next" ? "no page" : "no work");
    expect(ended).toBe(broken === "next" ? 3 : 2);
  });
});
