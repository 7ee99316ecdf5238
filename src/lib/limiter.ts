/** True while the key is within its rate. Permissive by design: an abuse brake, not a quota. */
export type Limiter = (key: string) => Promise<boolean>;
