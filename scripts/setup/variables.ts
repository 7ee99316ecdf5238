import { Problem } from "../lib/command.ts";
import { readFilling } from "../lib/wrangler-toml.ts";
import type { Asking } from "./asking.ts";
import type { Options } from "./options.ts";

/** As wrangler.toml.example has it. */
const exampleUrl = "https://bindify.example";

const isOrigin = (text: string): boolean =>
  URL.canParse(text) && text.startsWith("https://") && new URL(text).origin === text;
const isAddress = (text: string): boolean => URL.canParse(text) && text.startsWith("https://");

/** The worker checks all of them again; these are the mistakes that are easily made. */
const checks: Readonly<Record<string, readonly [(text: string) => boolean, string]>> = {
  PUBLIC_URL: [isOrigin, "must be an https:// address without a path or a final slash"],
  CLERK_PUBLISHABLE_KEY: [
    (text) => /^pk_(?:test|live)_[A-Za-z0-9+/=]+$/.test(text),
    "must start with pk_live_ or pk_test_",
  ],
  OIDC_ISSUER: [isAddress, "must be an https:// address"],
  OIDC_JWKS_URL: [isAddress, "must be an https:// address"],
  OIDC_AUDIENCE: [(text) => text !== "", "must not be empty"],
};

/** The variables that a deployment needs: from the command line, else as they are set, else asked for. */
export async function chooseVariables(
  config: string,
  { given, isDryRun }: Options,
  asking: Asking,
): Promise<Readonly<Record<string, string>>> {
  const { variables: present } = readFilling(config);
  checkAll(given);
  const chosen: Record<string, string> = { ...given };
  const ask = async (name: string, question: string, fallback?: string): Promise<void> => {
    if (!isDryRun) chosen[name] = await asking.text(question, fallback);
  };
  if (chosen["PUBLIC_URL"] === undefined && (present["PUBLIC_URL"] ?? exampleUrl) === exampleUrl)
    await ask("PUBLIC_URL", "The address that people will use, such as https://bindify.example:");
  const isKnown = (name: string): boolean => (chosen[name] ?? present[name]) !== undefined;
  if (!isKnown("CLERK_PUBLISHABLE_KEY") && !isKnown("OIDC_ISSUER")) {
    await ask(
      "CLERK_PUBLISHABLE_KEY",
      "Clerk's publishable key (nothing for any other OpenID Connect provider):",
      "",
    );
    if (chosen["CLERK_PUBLISHABLE_KEY"] === "") {
      delete chosen["CLERK_PUBLISHABLE_KEY"];
      await ask("OIDC_ISSUER", "The provider's issuer:");
      await ask("OIDC_JWKS_URL", "Where it publishes its signing keys:");
      await ask("OIDC_AUDIENCE", "The audience of its tokens:");
    }
  }
  checkAll(chosen);
  return chosen;
}

/** What is left to do where nothing leads from PUBLIC_URL to the worker, which has its workers.dev address alone. */
export function missingRoute(config: string, url: string): string | undefined {
  const { hostname } = new URL(url);
  if (hostname.endsWith(".workers.dev") || /^(?:routes? =|\[\[routes\]\])/m.test(config)) return undefined;
  return (
    `No route leads from ${hostname} to the worker yet. If that domain is in your account, add this above [build] and ` +
    `run the command again:\n  routes = [{ pattern = "${hostname}", custom_domain = true }]`
  );
}

function checkAll(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    const [isFine, sentence] = checks[name] ?? [];
    if (isFine?.(value) === false) throw new Problem(`${name} ${sentence ?? ""}: ${value}`);
  }
}
