import * as registry from "../../src/services/registry.ts";
import { type Service, type ServiceInput, serviceSchema } from "../../src/services/service.ts";

export const definitions: readonly ServiceInput[] = Object.values(registry);

export const services: readonly Service[] = definitions.map((definition) => serviceSchema.parse(definition));

export function service(id: string): Service {
  const found = services.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no service ${id}`);
  return found;
}

export function keyMode(id: string, mode?: string): Service["key_modes"][number] {
  const modes = service(id).key_modes;
  const found = mode === undefined ? modes[0] : modes.find((candidate) => candidate.id === mode);
  if (found === undefined) throw new Error(`no key mode of ${id}`);
  return found;
}
