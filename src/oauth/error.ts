/** Why a sign-in cannot begin or go on. The person is told a sentence for each; details stay here. */
export type OauthFailure =
  | "resource_mismatch"
  | "no_authorization_server"
  | "issuer_mismatch"
  | "endpoint_not_allowed"
  | "no_pkce"
  | "registration_refused"
  | "no_registration"
  | "unreachable";

export class OauthError extends Error {
  override readonly name = "OauthError";
  readonly failure: OauthFailure;

  constructor(failure: OauthFailure) {
    super(failure);
    this.failure = failure;
  }
}
