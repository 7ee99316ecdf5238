import { kept } from "./kept.ts";
import { logged } from "./logged.ts";
import type { Plant } from "./plant.ts";
import { sent } from "./sent.ts";

export const plants: readonly Plant[] = [...logged, ...sent, ...kept];
