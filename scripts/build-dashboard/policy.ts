/** What the page has to reach besides its own origin to sign people in; nothing for local sign-in. */
export interface SignInHosts {
  /** Clerk's Frontend API: its scripts come from there. */
  readonly clerk?: string;
  /** An OpenID Connect issuer: its discovery document and token endpoint are fetched from there. */
  readonly issuer?: string;
}

const lineStart = "  Content-Security-Policy: ";

/** Widens the content security policy in a `_headers` file by exactly these origins, and by nothing where there are none. */
export function admitHosts(headers: string, { clerk, issuer }: SignInHosts): string {
  const additions: Record<string, readonly string[]> = {
    ...(issuer === undefined ? {} : { "connect-src": [issuer] }),
    // Clerk's components write style elements, and keep time in a worker made of a blob.
    ...(clerk === undefined
      ? {}
      : {
          "script-src": [clerk],
          "connect-src": [clerk],
          "style-src": ["'unsafe-inline'"],
          "worker-src": ["'self'", "blob:"],
        }),
  };
  return headers
    .split("\n")
    .map((line) =>
      line.startsWith(lineStart) ? lineStart + widen(line.slice(lineStart.length), additions) : line,
    )
    .join("\n");
}

function widen(policy: string, additions: Readonly<Record<string, readonly string[]>>): string {
  const directives = new Map(
    policy.split("; ").map((directive): [string, string[]] => {
      const [name = "", ...sources] = directive.split(" ");
      return [name, sources];
    }),
  );
  for (const [name, sources] of Object.entries(additions)) {
    directives.set(name, [...(directives.get(name) ?? []), ...sources]);
  }
  return [...directives].map(([name, sources]) => [name, ...sources].join(" ")).join("; ");
}

/** From the variables of the deployment: `pk_test_<base64 of "host$">`, and the issuer's address. */
export function signInHosts(variables: Readonly<Record<string, unknown>>): SignInHosts {
  const { CLERK_PUBLISHABLE_KEY: key, OIDC_ISSUER: issuer } = variables;
  if (typeof key === "string" && key !== "") {
    const host = Buffer.from(key.split("_")[2] ?? "", "base64")
      .toString("utf8")
      .replace(/\$$/, "");
    const origin = `https://${host}`;
    // What is not an origin would be a source of its own, or several.
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error("CLERK_PUBLISHABLE_KEY names no host.");
    }
    return { clerk: origin };
  }
  if (typeof issuer === "string" && issuer !== "") return { issuer: new URL(issuer).origin };
  return {};
}
