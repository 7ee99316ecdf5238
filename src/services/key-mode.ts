import type { FieldError } from "../lib/fault.ts";
import type { HeaderForm, KeyMode, Service } from "./service.ts";
import { speakable } from "../lib/field-name.ts";
import { headerName, headerValue } from "./text.ts";

/** Longer than any key in use; keeps a field from filling the header limits of services. */
const longestField = 4096;

type Assembled =
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "errors"; readonly errors: readonly FieldError[] };

/** The key mode asked for; without a wish the service's first. */
export function chooseKeyMode(service: Service, wanted: string | undefined): KeyMode | undefined {
  if (wanted === undefined) return service.key_modes[0];
  return service.key_modes.find(({ id }) => id === wanted);
}

/**
 * Joins what a person typed into the one secret that the header carries. Space around a value is dropped: it comes
 * from copying. Anything else that is not visible ASCII is refused, since it could start another header.
 * Messages never repeat a value.
 */
export function assembleSecret(mode: KeyMode, fields: Readonly<Record<string, string>>): Assembled {
  const errors: FieldError[] = [];
  const values = new Map<string, string>();
  for (const field of mode.fields) {
    const path = `fields.${field.name}`;
    const value = Object.hasOwn(fields, field.name) ? (fields[field.name] ?? "").trim() : "";
    if (value === "") {
      errors.push({ path, message: `${field.label} is needed.` });
    } else if (value.length > longestField) {
      errors.push({ path, message: `${field.label} is longer than ${longestField} characters.` });
    } else if (!/^[\x21-\x7e]+$/.test(value)) {
      errors.push({
        path,
        message: `${field.label} contains a space, a line break or an unusual character.`,
      });
    } else if (field.pattern !== undefined && !matchesWhole(field.pattern, value)) {
      errors.push({ path, message: field.help ?? `${field.label} does not have the expected form.` });
    }
    values.set(field.name, value);
  }
  for (const name of Object.keys(fields)) {
    if (!values.has(name)) {
      const known = mode.fields.map((field) => field.name).join(", ");
      errors.push({
        path: `fields.${speakable(name)}`,
        message: `There is no such field. This key has: ${known}.`,
      });
    }
  }
  if (errors.length > 0) return { kind: "errors", errors };
  // One pass, so that a value which looks like a place is not filled in itself.
  const text = mode.assemble.template.replace(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? "");
  return { kind: "secret", secret: mode.assemble.encoding === "base64" ? btoa(text) : text };
}

/** The value of the header that carries the secret. */
export function formatHeader(header: HeaderForm, secret: string): string {
  return header.prefix === "" ? secret : `${header.prefix} ${secret}`;
}

type ChosenHeader =
  | { readonly kind: "header"; readonly header: HeaderForm }
  | { readonly kind: "errors"; readonly errors: readonly FieldError[] };

// Headers that frame the request, speak for the network, or belong to MCP: a key there would break or be overwritten.
const reserved =
  /^(accept(-.*)?|connection|content-.*|cookie2?|date|expect|forwarded|host|keep-alive|last-event-id|mcp-.*|origin|proxy-.*|referer|sec-.*|te|trace(parent|state)|trailer|transfer-encoding|upgrade|user-agent|via|x-forwarded-.*|x-real-ip|cf-.*)$/i;

/** The header for the key: the mode's, or the person's own where the mode leaves it to them. */
export function chooseHeader(
  mode: KeyMode,
  wanted: { readonly name: string; readonly prefix?: string | undefined } | undefined,
): ChosenHeader {
  if (wanted === undefined) return { kind: "header", header: mode.header };
  if (!mode.header_choice) {
    return { kind: "errors", errors: [{ path: "header", message: "The header of this service is fixed." }] };
  }
  const errors: FieldError[] = [];
  const name = wanted.name.trim();
  const prefix = (wanted.prefix ?? "").trim();
  if (!headerName.safeParse(name).success || name.length > 100) {
    errors.push({ path: "header.name", message: "This is not the name of an HTTP header." });
  } else if (reserved.test(name)) {
    errors.push({ path: "header.name", message: "This header has another meaning and cannot carry a key." });
  }
  if (prefix !== "" && (!headerValue.safeParse(prefix).success || prefix.length > 100)) {
    errors.push({ path: "header.prefix", message: "The prefix may contain visible ASCII characters only." });
  }
  return errors.length > 0 ? { kind: "errors", errors } : { kind: "header", header: { name, prefix } };
}

export function matchesWhole(pattern: string, value: string): boolean {
  return new RegExp(`^(?:${pattern})$`, "u").test(value);
}
