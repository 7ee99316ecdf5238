declare namespace Cloudflare {
  interface Env {
    DB: D1Database;
    BLOBS: KVNamespace;
    CONNECTION_LIMIT: RateLimit;
    MISS_LIMIT: RateLimit;
    USER_LIMIT: RateLimit;
    PUBLIC_URL: string;
    ADMIN_URL: string;
    SECRET_ENV: string;
    MANAGED_ENCRYPTION_KEYS: string;
    LOCAL_IDENTITY_KEY: string;
    DEMO_SERVICE_URL: string;
    USAGE_FLUSH_SECONDS: string;
    /** The private JWK whose public half is LOCAL_IDENTITY_KEY: signs users in. */
    TEST_IDENTITY_KEY: string;
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
  interface GlobalProps {
    mainModule: typeof import("../src/worker.ts");
  }
}

/** The text of a file. */
declare module "*?raw" {
  const text: string;
  export default text;
}

/** Vite's: the text of a file. */
declare module "*?raw" {
  const text: string;
  export default text;
}
