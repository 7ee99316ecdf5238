import type { webcrypto } from "node:crypto";

// What `src/lib` and `src/vault` use of the worker's types, for the scripts that share their rules.
declare global {
  type CryptoKey = webcrypto.CryptoKey;
}

declare module "node:crypto" {
  namespace webcrypto {
    interface SubtleCrypto {
      timingSafeEqual(a: ArrayBufferView, b: ArrayBufferView): boolean;
    }
  }
}
