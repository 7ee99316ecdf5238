import { beforeAll, describe, expect, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { isLabel, naughty } from "../support/naughty.ts";
import { connectionAnswer, createPerson, type Connected, type Person } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance({}, (runtime) => ({
  ...runtime,
  limits: { ...runtime.limits, user: async () => true },
}));
const service = upstream();
let person: Person;
let connected: Connected;

beforeAll(async () => {
  person = await createPerson(instance);
  connected = await person.connect({ url: service.url });
});

const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

describe("a label", () => {
  it.each(naughty.map((text) => ({ name: shown(text), text })))(
    "like $name is kept as it is, or refused",
    async ({ text }) => {
      const path = `/api/connections/${connected.id}`;
      const labelNow = async (): Promise<string> =>
        connectionAnswer.parse(await (await person.call("GET", path)).json()).label;
      const before = await labelNow();
      const answer = await person.call("PATCH", path, { label: text });
      if (isLabel(text)) {
        expect(answer.status).toBe(200);
        expect(connectionAnswer.parse(await answer.json()).label).toBe(text.trim());
        expect(await labelNow()).toBe(text.trim());
      } else {
        const code = text.length > 60_000 ? "payload_too_large" : "invalid_request";
        await problemOf(answer, code);
        expect(await labelNow()).toBe(before);
      }
    },
  );

  it("of the list of connections comes back as it went in, all together", async () => {
    const good = naughty.filter((text) => isLabel(text)).slice(0, 20);
    for (const label of good) await person.connect({ url: service.url, label });
    const answer = await person.call("GET", "/api/connections?limit=100");
    const listed = await answer.json<{ connections: { label: string }[] }>();
    const labels = listed.connections.map(({ label }) => label);
    for (const label of good) expect(labels).toContain(label.trim());
  });
});
