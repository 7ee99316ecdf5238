/** What a fault looks like on each wire: one row per code, read by the JSON API and by `/mcp` alike. */
interface FaultRow {
  /** HTTP status of the JSON API, and of `/mcp` where no JSON-RPC request id is known. */
  readonly status: number;
  /**
   * JSON-RPC error code. Positive: the specification keeps −32768…−32000 for itself, and only −32600
   * and −32603 mean there what they mean here.
   */
  readonly rpc: number;
  readonly title: string;
  /** What happened and what to do next. `{name}` is filled from the fault's parameters. */
  readonly detail: string;
}

const rows = {
  // The request itself
  invalid_json: row(400, -32600, "The body is not JSON", "Send a JSON object encoded as UTF-8."),
  invalid_request: row(
    400,
    -32600,
    "The request is not valid",
    "See `errors` for each field and what it needs.",
  ),
  not_found: row(404, 4040, "Nothing is here", "No such address. The API is described in the README."),
  method_not_allowed: row(405, 4050, "Method not allowed", "This address answers to: {allow}."),
  unsupported_media_type: row(
    415,
    4150,
    "Unsupported content type",
    "Send `Content-Type: application/json`.",
  ),
  payload_too_large: row(413, 4130, "The body is too large", "Send at most {limit}."),
  headers_too_large: row(431, 4310, "The headers are too large", "Send at most {limit} of request headers."),
  header_not_ascii: row(
    400,
    -32600,
    "A header is not plain text",
    "The header {name} holds characters outside of ASCII. MCP wants them encoded: =?base64?…?=.",
  ),
  origin_not_allowed: row(
    403,
    4030,
    "Origin not allowed",
    "Requests from this web origin are not accepted. MCP clients that are programs send no Origin header.",
  ),
  rate_limited: row(
    429,
    4290,
    "Too many requests",
    "Wait for the seconds given in Retry-After, then try again.",
  ),

  // Signing in
  unauthenticated: row(
    401,
    4010,
    "Sign in first",
    "Send `Authorization: Bearer <token>` with a valid, unexpired sign-in token.",
  ),

  identity_unavailable: row(
    503,
    5036,
    "Signing in does not work just now",
    "The identity provider's keys could not be read. Nothing is wrong with your account; try again in a moment.",
  ),
  users_full: row(
    403,
    4034,
    "This deployment takes no more people",
    "As many people as its operator allows are signed up. Ask the operator, or run a deployment of your own.",
  ),
  account_erasing: row(
    401,
    4012,
    "The account was deleted",
    "This sign-in belongs to an account that was deleted. Sign out; a new sign-in makes a new account.",
  ),
  owner_only: row(
    403,
    4035,
    "Only the person may do this",
    "An API token cannot do this. Sign in and do it yourself.",
  ),
  token_scope: row(
    403,
    4036,
    "The token may only read",
    "This API token has the scope `read`. Use one with the scope `manage`, or sign in.",
  ),
  unknown_token: row(404, 4045, "Unknown token", "You have no API token with this id. See GET /api/tokens."),
  too_many_tokens: row(
    403,
    4037,
    "Too many API tokens",
    "An account has at most {limit} API tokens. Revoke one that is not used.",
  ),

  // Repeats
  idempotency_mismatch: row(
    422,
    4227,
    "The key was used for another request",
    "This Idempotency-Key came with another request before. Use a new key for a new request.",
  ),
  request_in_flight: row(
    409,
    4090,
    "The same request is still running",
    "A request with this Idempotency-Key has not ended yet. Try again in a moment.",
  ),
  outcome_unknown: row(
    422,
    4228,
    "Nobody knows what became of it",
    "An earlier request with this Idempotency-Key broke off. Look at the list for what it made, then use a new key.",
  ),
  credential_already_answered: row(
    409,
    4093,
    "It was made, and its secret was shown",
    "An earlier request with this Idempotency-Key made {created}. Its secret was in that answer and is stored nowhere.",
  ),

  // Connecting
  unknown_service: row(404, 4041, "Unknown service", "No service has this id. See GET /api/services."),
  unknown_connection: row(
    404,
    4044,
    "Unknown connection",
    "You have no connection with this id. See GET /api/connections.",
  ),
  connection_in_use: row(
    409,
    40910,
    "The connection is in use again",
    "Somebody connected it again meanwhile, so it was not deleted. Look at it, and delete it again if you still want to.",
  ),
  service_not_available: row(409, 4091, "The service cannot be connected now", "{reason}"),
  storage_not_configured: row(
    409,
    4092,
    "Managed storage is not configured",
    "This deployment has no managed encryption key. Use storage `zero_knowledge`, or ask its operator.",
  ),
  sign_in_not_configured: row(
    409,
    4094,
    "Signing in to services is not configured",
    "This deployment has no MANAGED_ENCRYPTION_KEYS, which sign-ins need while they are on their way. Tell its operator, or connect with a key.",
  ),
  sign_in_impossible: row(422, 4223, "This sign-in cannot begin", "{reason}"),
  sign_in_unknown: row(
    409,
    4095,
    "This sign-in is not known",
    "It was begun by somebody else, finished already, or more than 10 minutes ago. Begin again.",
  ),
  sign_in_mismatch: row(
    422,
    4224,
    "The answer came from somebody else",
    "The answer does not come from the authorization server that was asked, so it was not used. Begin again.",
  ),
  sign_in_refused: row(422, 4225, "The service did not sign you in", "{reason}"),
  sign_in_unfinished: row(
    502,
    5027,
    "The sign-in was not finished",
    "{service} gave no usable tokens for this sign-in. Nothing was stored; begin again.",
  ),
  reauthorize_needed: row(
    409,
    4096,
    "The present credential is needed",
    "Only the present credential opens this connection. Give it, or re-authorize to get a new address and key.",
  ),
  credential_mismatch: row(
    422,
    4226,
    "This is not the connection's credential",
    "The credential that you gave belongs to another connection or was replaced. Give the present one, or leave it out.",
  ),
  key_rejected: row(
    422,
    4220,
    "The service refused the key",
    "{service} did not accept this key. Check that it was copied whole, has not expired and may use the API.",
  ),
  not_an_mcp_server: row(
    422,
    4221,
    "No MCP server answered",
    "{service} answered, but not as an MCP server. Check the address, usually ending in /mcp or /sse.",
  ),
  service_failing: row(
    502,
    5026,
    "The service has a problem of its own",
    "{service} answered with an error of its own, so the key could not be checked and nothing was stored. Try again later.",
  ),
  target_unreachable: row(
    422,
    4222,
    "The server could not be reached",
    "{service} could not be reached from here. The address must be public and use https.",
  ),

  // Billing
  billing_not_configured: row(
    404,
    4049,
    "There is no billing here",
    "This deployment has no billing. Nothing is limited, so there is nothing to pay for.",
  ),
  connection_limit: row(
    402,
    4021,
    "No more connections in this plan",
    "Your plan allows {limit} connections. Open {page} to pay for more, or disconnect one.",
  ),
  payment_refused: row(
    402,
    4022,
    "The payment was refused",
    "The card or bank refused the payment, and nothing was changed. Open the payment page to change how you pay.",
  ),
  unknown_checkout: row(
    404,
    4048,
    "Unknown checkout",
    "You have begun no checkout with this id. Begin one with POST /api/billing/checkout.",
  ),
  customer_mismatch: row(
    409,
    4097,
    "The payment account is not yours",
    "The payment account that is kept for you is unknown to Stripe or names somebody else, so it was not used. Tell the operator.",
  ),
  not_subscribed: row(
    409,
    4098,
    "There is no subscription",
    "You have no subscription yet. Begin one with POST /api/billing/checkout.",
  ),
  already_subscribed: row(
    409,
    4099,
    "You are subscribed already",
    "You have a subscription. Change its quantity, or open the payment page to see it.",
  ),
  payment_overdue: row(
    402,
    4023,
    "A payment is missing",
    "Pay the open invoice on the payment page first, then change the quantity.",
  ),
  billing_rejected: row(
    502,
    5020,
    "The payment service refused the request",
    "Stripe refused what was asked, and nothing was changed. Reload the page and try again; if it stays, tell the operator.",
  ),
  billing_unavailable: row(
    502,
    5029,
    "The payment service did not answer",
    "Stripe did not do what was asked. Your connections go on; try again in a moment.",
  ),
  webhook_refused: row(
    400,
    4009,
    "The event is not signed",
    "Events are taken in as Stripe signed them, byte for byte, within five minutes.",
  ),
  webhook_failed: row(
    500,
    5009,
    "The event could not be taken in",
    "The state behind this event could not be read or stored. Deliver it again later.",
  ),

  // Messages to the operator
  support_not_configured: row(
    404,
    4046,
    "There is no support form here",
    "This deployment takes no messages. Ask its operator in another way.",
  ),
  support_nonce_unknown: row(
    409,
    40911,
    "The message cannot be sent this way",
    "Its nonce is not yours, was used already, or is older than 10 minutes. Get a new one and send the message again.",
  ),
  support_limit: row(
    429,
    4291,
    "Too many messages",
    "You sent {limit} messages within 24 hours, which is as many as are taken. Wait for the seconds given in Retry-After.",
  ),
  support_unavailable: row(
    503,
    5037,
    "The message was not sent",
    "The operator's help desk did not take the message. Keep its text, and send it again in a few minutes.",
  ),
  support_unconfirmed: row(
    502,
    5028,
    "Nobody knows whether the message arrived",
    "The operator's help desk did not say that it took the message. Keep its text, and send it again if no answer comes.",
  ),

  // The proxied request
  missing_credential: row(
    401,
    4011,
    "No credential",
    "Send your Bindify API key as `Authorization: Bearer bnd_…` or `X-API-Key`, or use the secret URL.",
  ),
  unknown_credential: row(
    404,
    4042,
    "Unknown credential",
    "This Bindify address or key is not known for this service: it was mistyped, replaced or disconnected. " +
      "Open {page} and copy the current one, or connect the service again.",
  ),
  connection_suspended: row(
    403,
    4031,
    "The connection is suspended",
    "This connection is suspended. Open {page} to see why and to restore it.",
  ),
  service_paused: row(
    503,
    5031,
    "The service is paused",
    "{service} is paused by the operator of this Bindify. Nothing is lost; try again later.",
  ),
  upstream_rejected: row(
    502,
    5021,
    "The service refused the stored key",
    "{service} no longer accepts the key of this connection. Create a new key there and connect again at {page}.",
  ),
  reauthorize_required: row(
    403,
    4032,
    "The sign-in has ended",
    "{service} ended the sign-in of this connection. Open {page} and re-authorize it; your address and key can stay.",
  ),
  more_access_required: row(
    403,
    4033,
    "More access is needed",
    "{service} wants more access for this than you granted. Open {page} and re-authorize with more access.",
  ),
  refresh_delayed: row(
    503,
    5035,
    "The sign-in is being renewed",
    "{service} did not renew the sign-in yet. Nothing is lost; try again in a moment.",
  ),
  upstream_unreachable: row(
    502,
    5022,
    "The service did not answer",
    "{service} could not be reached. Nothing is wrong with your connection; try again in a moment.",
  ),
  upstream_redirected: row(
    502,
    5023,
    "The service answered with a redirect",
    "{service} sent a redirect, which is never followed with your key. Connect again at {page} with the new address.",
  ),
  upstream_timeout: row(
    504,
    5041,
    "The service took too long",
    "{service} did not answer within {limit}. Try again, or ask it for less at once.",
  ),
  upstream_protocol: row(
    502,
    5024,
    "The service broke its protocol",
    "{service} announced an address that it may not use, so nothing was sent there. Tell its operator.",
  ),
  wrong_transport: row(
    404,
    4043,
    "Wrong transport",
    "{service} speaks streamable HTTP here: use the address without the /sse or /messages at its end.",
  ),
  grant_unreadable: row(
    502,
    5025,
    "The stored key cannot be used",
    "What is stored for this connection does not fit it any more, so nothing was sent. Connect again at {page}.",
  ),
  master_key_missing: row(
    503,
    5034,
    "The deployment's key is missing",
    "This deployment has not loaded the master key that this needs. Nothing is lost; its operator has to load it.",
  ),
  grant_delayed: row(
    503,
    5032,
    "The stored key is on its way",
    "The connection was changed a moment ago and its new state has not arrived here yet. Try again in a few seconds.",
  ),

  // Ours
  misconfigured: row(
    500,
    -32603,
    "The deployment is not configured",
    "The setting {variable} is missing or not valid: {reason}",
  ),
  storage_unavailable: row(
    503,
    5033,
    "Storage is not available",
    "The database did not answer. Nothing was changed; try again in a moment.",
  ),
  internal: row(500, -32603, "Something went wrong here", "It was recorded. Try again in a moment."),
} as const;

function row(status: number, rpc: number, title: string, detail: string): FaultRow {
  return { status, rpc, title, detail };
}

export type FaultCode = keyof typeof rows;

export const faults: Readonly<Record<FaultCode, FaultRow>> = rows;

export interface FieldError {
  /** JSON path of the field, dotted: `fields.api_key`. */
  readonly path: string;
  readonly message: string;
}

interface FaultOptions {
  /** Values of the sentence's placeholders. Public: never a secret. */
  readonly params?: Readonly<Record<string, string>>;
  readonly errors?: readonly FieldError[];
  /** Seconds, for the Retry-After header. */
  readonly retryAfter?: number;
}

/** What ends a request. Callers branch on `code`; nobody matches on message text. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  readonly params: Readonly<Record<string, string>>;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: FaultCode, options: FaultOptions = {}) {
    super(code);
    this.code = code;
    this.params = options.params ?? {};
    this.errors = options.errors;
    // Every 429 says when to come back (RFC 6585 §4).
    this.retryAfter = options.retryAfter ?? (rows[code].status === 429 ? 60 : undefined);
  }

  /** The public sentence, with parameters filled in. */
  get detail(): string {
    return faults[this.code].detail.replace(
      /\{(\w+)\}/g,
      (_, name: string) => this.params[name] ?? "the service",
    );
  }
}
