import type { Connected } from "./instance.ts";

export interface CredentialForm {
  readonly name: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** The two forms of one credential; the header form by the header that most clients send. */
export function formsOf({ secretUrl, mcpUrl, apiKey }: Connected): [CredentialForm, CredentialForm] {
  return [
    { name: "secret URL", url: secretUrl, headers: {} },
    { name: "API key", url: mcpUrl, headers: { Authorization: `Bearer ${apiKey}` } },
  ];
}
