/** The behaviours that the tests prove, by the id that they cite. An id is never given to something else. */
export const threats: Readonly<Record<string, string>> = {
  // Crypto and storage
  T1: "A full dump of D1 and KV plus every environment secret opens no user-held token",
  T2: "A dump without master keys opens no managed token",
  T3: "No dump contains either half of a credential, raw, hex, base64 or base64url",
  T4: "A sealed blob copied to another connection does not open",
  T5: "A row whose service, workspace, address, client, lookup, verifier or storage was edited sends nothing anywhere",
  T6: "A blob used for another purpose does not open",
  T7: "The previous generation's blob under the present row does not open",
  T8: "Any flipped byte is rejected",
  T9: "An unknown version, algorithm or key fingerprint is a typed failure with no decryption tried",
  T10: "Nonces never repeat",
  T11: "A wrong second half is rejected before any decryption, in both storage modes",
  T12: "Non-canonical spellings of a credential are unknown",
  T13: "A malformed credential or a wrong checksum costs no storage call",
  T14: "Secrets are compared in constant time",
  T15: "rotate-keys killed at any row: a rerun completes, and every connection works throughout",
  T16: "Rotation racing a refresh keeps the new tokens",
  T17: "Removing a key still in use is refused, client registrations counted",
  T18: "A short, duplicate, non-hex or all-zero master key is a start-up error naming the entry",
  T19: "Literal test vectors pin every format",

  // Credential and route
  T20: "Unknown, wrong second half, wrong service, disconnected: the same status, body and headers",
  T21: "After DELETE has answered, no request is forwarded; open streams end within 30 s",
  T22: "After regenerating, the new address works, the old one is unknown, the grant is intact",
  T23: "Pages with a secret: no-store, no-referrer, framing denied, no third-party resource",
  T24: "Encodings, dots, doubled slashes, semicolons and NUL in a path: 404",
  T25: "Well-known and OAuth paths under any prefix are a plain 404 with no look-up",
  T26: "Spoofed forwarding headers and path case do not change the rate-limit bucket",

  // Connect flow
  T30: "State missing, wrong, replayed or older than 10 minutes: no token request",
  T31: "A flow begun by one user and finished by another exchanges nothing and stores nothing",
  T32: "The same with a user who signed in as someone else mid-flow",
  T33: "iss wrong, or missing though advertised: no token request",
  T34: "An error response with a wrong iss: its text neither shown nor logged",
  T35: "PKCE on every flow; metadata without S256 is refused",
  T36: "Return targets that lead elsewhere: fixed destination",
  T37: "Non-https or odd-scheme endpoints are refused",
  T38: "Metadata issuer or resource mismatch is refused",
  T39: "A resource that names a new authorization server never receives the old one's secrets",
  T40: "A token response that is not one: typed error, old tokens kept",
  T41: "Narrower scope is recorded, broader flagged",
  T42: "resource in both requests",
  T43: "Duplicate callback parameters are refused",
  T44: "The credential is in exactly one response and never at rest in clear",
  T45: "Entitlement is checked again at completion",
  T46: "Pre-registered and own clients serve nobody else's server or workspace",

  // Outbound
  T50: "Addresses that are not public, in every spelling: denied",
  T51: "The same guard on every discovered address and on the legacy SSE endpoint",
  T52: "Redirects never carry a bearer, API key or cookie",
  T53: "Our own zone is denied",
  T54: "Refused, timed-out and internal targets look alike to the user",
  T55: "Discovery bodies are capped after decompression",

  // Proxy
  T60: "Header lists both ways",
  T61: "Mcp-* forwarded byte-exact",
  T62: "The client's Authorization never reaches the upstream",
  T63: "A client's query cannot override an injected key",
  T64: "A foreign Origin is 403 before anything else",
  T65: "Upstream WWW-Authenticate and Set-Cookie are not relayed",
  T66: "Two users, same request: two upstream calls, nothing shared",
  T67: "Oversized body, headers or nesting: 413, 431, 400, memory flat",
  T68: "A stalled upstream is cut at a limit; client abort aborts upstream",
  T69: "A 5 MB request and a 100 MB response stream with flat memory",

  // Refresh
  T70: "200 concurrent requests with an expired token: one provider call",
  T71: "Two crons and a user: one call",
  T72: "A crash after each step of a refresh has the outcome that the design says",
  T73: "A rotating provider with reuse detection survives storage that is stale or failing",
  T74: "Timeouts, 5xx, 429, HTML never mark re-authorisation; invalid_grant does, after a re-read",
  T75: "A lease outlives the provider time-out plus the write budget; isolate clocks do not matter",
  T76: "A refresh that ends after a disconnect leaves no current grant",
  T77: "A metadata write never rewrites a token blob",
  T78: "Regenerate, re-authorise and re-encrypt racing a refresh: never a lost grant",

  // API, billing, operations
  T80: "Tokens that a verifier must not take: 401",
  T81: "A flood of unknown key ids: one fetch of the keys per 30 s",
  T82: "Another user's ids on every route: 404",
  T83: "CORS: exact origin, never *; no ambient authority",
  T84: "Webhook unsigned, stale, re-serialised: 400, nothing written",
  T85: "The same event ten times at once: one effect",
  T86: "Every order of the events: the state of the newest object",
  T87: "A purge killed between deletes: a rerun leaves nothing; reconnectable until its day",
  T88: "Altering or deleting an audit row breaks the chain's verification",
  T89: "Deleting an account leaves nothing that names the user",

  // Logs
  T90: "Canaries of every kind of secret are found in no sink, in any encoding",
  T91: "A leak planted on purpose in each module makes T90 fail",
  T92: "Logs carry route templates, never paths",
  T93: "An invocation whose path holds a credential writes no console line and lets no exception escape",
};

/** Ids that no offline test can prove, with the reason; empty, as long as every one is proven. */
export const excused: Readonly<Record<string, string>> = {};
