import { catalogueOf, complete, type Catalogue, type CatalogueOptions } from "./catalogue.ts";
import { demoService } from "./demo.ts";
import * as registry from "./registry.ts";

export type { Catalogue, PublicService } from "./catalogue.ts";

interface Options extends CatalogueOptions {
  /** Loopback origin of the demo service, where one runs beside this deployment. */
  readonly demoOrigin?: string | undefined;
}

// Read while the isolate starts, so that no request pays for it.
const registered = Object.values(registry).map((definition) => complete(definition));

/** The services that this deployment offers. */
export function createCatalogue({ demoOrigin, ...options }: Options): Catalogue {
  const demo = demoOrigin === undefined ? [] : [complete(demoService(demoOrigin))];
  return catalogueOf([...demo, ...registered], options);
}
