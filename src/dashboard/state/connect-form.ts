import type { ConnectInput, SignInInput } from "../api.ts";
import type { KeyMode, Service, StorageMode } from "../schemas.ts";

type SignInFields = Omit<SignInInput, "return_to">;

/** The form as the request: inputs are named by the path that their value has in it. */
export function readKeyForm(data: FormData, service: Service, mode: KeyMode): ConnectInput {
  const input: ConnectInput = {
    service: service.id,
    fields: Object.fromEntries(mode.fields.map(({ name }) => [name, text(data, `fields.${name}`)])),
    ...readShared(data),
  };
  if (service.key_modes.length > 1) input.mode = mode.id;
  const headerName = text(data, "header.name");
  const prefix = text(data, "header.prefix");
  // A prefix alone still belongs to the usual header.
  if (headerName || prefix) input.header = { name: headerName || "Authorization", prefix };
  return input;
}

/** What a sign-in begins with, for a new connection (`service`) or one that exists (`reauthorize`). */
export function readSignInForm(
  data: FormData,
  target: { service: string } | { reauthorize: string },
): SignInFields {
  const input: SignInFields = { ...target, ...readShared(data) };
  const id = text(data, "client.id");
  const secret = text(data, "client.secret");
  // A secret without its id is sent too, so that the server's sentence says what is missing.
  if (id || secret) input.client = { id, ...(secret ? { secret } : {}) };
  return input;
}

function readShared(data: FormData): { url?: string; storage?: StorageMode; label?: string } {
  const [url, storage, label] = [text(data, "url"), text(data, "storage"), text(data, "label")];
  return {
    ...(url ? { url } : {}),
    ...(isStorageMode(storage) ? { storage } : {}),
    ...(label ? { label } : {}),
  };
}

const signInNames = ["client.id", "client.secret"];

/** The paths of the inputs that the form shows: an error of any other path needs a place of its own. */
export function inputNames(service: Service, mode: KeyMode | undefined): string[] {
  const url = service.url_required ? ["url"] : [];
  const shared = ["label", ...url];
  if (mode === undefined) return service.own_client ? [...shared, ...signInNames] : shared;
  const header = mode.header_choice ? ["header.name", "header.prefix"] : [];
  return [...shared, ...header, ...mode.fields.map(({ name }) => `fields.${name}`)];
}

function text(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === "string" ? value.trim() : "";
}

const isStorageMode = (value: string): value is StorageMode =>
  value === "zero_knowledge" || value === "managed";
