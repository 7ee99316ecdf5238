/**
 * Goes through the demo service's sign-in as a browser would (redirects, cookies, the form) and returns the
 * address that the browser is sent back to: the client's redirect URI with `code`, `state` and `iss`, or `error`.
 * With `cookies` it is a browser that keeps them from one sign-in to the next.
 */
export async function signInAtDemo(
  authorizeUrl: string | URL,
  options: { name?: string; deny?: boolean; cookies?: Map<string, string> } = {},
): Promise<URL> {
  const { origin } = new URL(authorizeUrl);
  const cookies = options.cookies ?? new Map<string, string>();
  let next = new URL(authorizeUrl);
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 10; step++) {
    const response = await fetch(next, {
      redirect: "manual",
      headers: { Accept: "text/html", Cookie: [...cookies].map((pair) => pair.join("=")).join("; ") },
      ...(form && { method: "POST", body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";", 1)[0]?.split(/=(.*)/s) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    const page = await response.text();
    if (location !== null) {
      next = new URL(location, next);
      form = undefined;
      if (next.origin !== origin) return next;
    } else if (response.status === 200 && !form) {
      form = new URLSearchParams({ name: options.name ?? "demo", action: options.deny ? "deny" : "allow" });
    } else throw new Error(`The sign-in stopped at ${response.status} ${next.pathname}: ${page.slice(-400)}`);
  }
  throw new Error("The sign-in redirects in a circle.");
}
