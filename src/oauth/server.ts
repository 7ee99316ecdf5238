/** How a client proves itself at the token endpoint. */
export type ClientMethod = "none" | "client_secret_basic" | "client_secret_post";

/** An authorization server, as far as we use it: from its metadata, or pinned by a definition. */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint?: string | undefined;
  readonly revocation_endpoint?: string | undefined;
  /** RFC 9207: every authorization response names the issuer. */
  readonly iss_parameter: boolean;
  /** Client ID Metadata Documents are accepted. */
  readonly cimd: boolean;
  readonly auth_methods: readonly string[];
  readonly scopes: readonly string[];
}

/** Our registration at one authorization server. */
export interface OauthClient {
  readonly id: string;
  readonly method: ClientMethod;
  readonly secret?: string | undefined;
}

/** Where a connection's tokens come from: sealed with the grant, so that no edited row redirects them. */
export interface TokenSource {
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly revocation_endpoint?: string | undefined;
  readonly client: OauthClient;
  /** RFC 8707; absent where the server rejects it. */
  readonly resource?: string | undefined;
}
