import type { ConnectInput } from "../api.ts";
import type { KeyMode, Service, StorageMode } from "../schemas.ts";

/** The form as the request: inputs are named by the path that their value has in it. */
export function readConnectForm(data: FormData, service: Service, mode: KeyMode): ConnectInput {
  const text = (name: string): string => {
    const value = data.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const input: ConnectInput = {
    service: service.id,
    fields: Object.fromEntries(mode.fields.map(({ name }) => [name, text(`fields.${name}`)])),
  };
  if (service.key_modes.length > 1) input.mode = mode.id;
  if (service.url_required) input.url = text("url");
  const headerName = text("header.name");
  const prefix = text("header.prefix");
  // A prefix alone still belongs to the usual header.
  if (headerName || prefix) input.header = { name: headerName || "Authorization", prefix };
  const storage = text("storage");
  if (isStorageMode(storage)) input.storage = storage;
  const label = text("label");
  if (label) input.label = label;
  return input;
}

/** The paths of the inputs that the form shows: an error of any other path needs a place of its own. */
export function inputNames(service: Service, mode: KeyMode): string[] {
  const url = service.url_required ? ["url"] : [];
  const header = mode.header_choice ? ["header.name", "header.prefix"] : [];
  return ["label", ...url, ...header, ...mode.fields.map(({ name }) => `fields.${name}`)];
}

const isStorageMode = (text: string): text is StorageMode => text === "zero_knowledge" || text === "managed";
