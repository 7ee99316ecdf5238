import { expect, it } from "vitest";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";
import { rpcCall } from "../support/answers.ts";
it("smoke", async () => {
  const instance = createInstance();
  const person = await createPerson(instance);
  const service = upstream();
  const c = await person.connect({ url: service.url });
  await service.forget();
  const r = await instance.fetch(c.secretPath, rpcCall());
  console.log(r.status, await r.text(), JSON.stringify(await service.requests(), null, 1));
  expect(r.status).toBe(200);
});
