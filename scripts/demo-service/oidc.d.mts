import type { IncomingMessage, ServerResponse } from "node:http";

export interface StoredPayload {
  grantId?: string;
  uid?: string;
  consumed?: number;
  [name: string]: unknown;
}

export interface Adapter {
  upsert(id: string, payload: StoredPayload, expiresIn?: number): Promise<void>;
  find(id: string): Promise<StoredPayload | undefined>;
  findByUid(uid: string): Promise<StoredPayload | undefined>;
  findByUserCode(userCode: string): Promise<StoredPayload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

export interface Context {
  type: string;
  body: unknown;
  set(name: string, value: string): void;
  oidc: {
    params?: Record<string, unknown>;
  };
}

export interface Client {
  clientId: string;
  clientName?: string;
  grantTypeAllowed(type: string): boolean;
}

export interface Interaction {
  uid: string;
  params: Record<string, unknown>;
}

export interface Grant {
  addOIDCScope(scope: string): void;
  addResourceScope(resource: string, scope: string): void;
  save(): Promise<string>;
}

export interface AccessToken {
  accountId: string;
  aud: string | string[];
  clientId: string;
  scope?: string;
  exp?: number;
}

export interface InteractionResult {
  error?: string;
  error_description?: string;
  login?: { accountId: string };
  consent?: { grantId: string };
}

export class Provider {
  constructor(issuer: string, configuration: Record<string, unknown>);
  Grant: new (input: { accountId: string; clientId: string }) => Grant;
  AccessToken: { find(value: string): Promise<AccessToken | undefined> };
  Client: { find(id: string): Promise<Client | undefined> };
  callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
  interactionFinished(
    request: IncomingMessage,
    response: ServerResponse,
    result: InteractionResult,
    options?: { mergeWithLastSubmission: boolean },
  ): Promise<void>;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "server_error", listener: (context: Context, error: Error) => void): this;
  on(event: "grant.error" | "revocation.error", listener: (context: Context, error: Error) => void): this;
  on(event: "grant.success" | "registration_create.success", listener: (context: Context) => void): this;
}

export namespace errors {
  class InvalidTarget extends Error {}
}
