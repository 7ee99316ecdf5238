import { z } from "zod";
import { isLoopback } from "../lib/destination.ts";

/** The shapes of text that definitions are made of. */

export const slug = z.string().regex(/^[a-z0-9][a-z0-9-]*$/);

/** Shown to people as it stands, so it must read as one line. */
export const line = z.string().regex(/^\S(.*\S)?$/);

export const fieldName = z.string().regex(/^[a-z][a-z0-9_]*$/);

/** RFC 9110 §5.6.2 token. */
export const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);

export const headerValue = z.string().regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/);

/**
 * An address that requests are sent to. Spelled as the URL parser spells it, so that what a definition says is
 * byte for byte what goes out. Plain http only for the demo service on a loopback address.
 */
export const endpointUrl = z
  .string()
  .refine((text) => isSecure(text) && new URL(text).href === text && !/[@#]/.test(text), {
    error: "must be an https URL in its canonical spelling, without user name or fragment",
  });

/** A page for people. */
export const pageUrl = z.string().refine(isSecure, { error: "must be an https URL" });

/** RFC 8414 §2: compared as a string, hence never normalised. */
export const issuerId = z.string().refine((text) => isSecure(text) && !/[?#@]/.test(text), {
  error: "must be an https URL without query or fragment",
});

export const origin = z.string().refine((text) => isSecure(text) && new URL(text).origin === text, {
  error: "must be an https origin",
});

function isSecure(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));
}
