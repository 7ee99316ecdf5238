import * as z from "zod/mini";

const claimsSchema = z.object({
  iss: z.optional(z.string()),
  aud: z.optional(z.union([z.string(), z.array(z.string())])),
  exp: z.optional(z.number()),
  nonce: z.optional(z.string()),
});
export type Claims = z.infer<typeof claimsSchema>;

/** What a token says of itself, unverified: the server checks it. Empty where it is no readable JWT. */
export function claimsOf(token: string): Claims {
  const payload = token.split(".")[1];
  if (payload === undefined) return {};
  try {
    return claimsSchema.parse(JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))));
  } catch {
    return {};
  }
}
