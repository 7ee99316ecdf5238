/** Domains whose customers each get a name below them: two names there are two owners. */
const shared = new Set(
  (
    "amazonaws.com azurewebsites.net azure-api.net azurecontainerapps.io cloudfront.net deno.dev fly.dev github.io " +
    "gitlab.io glitch.me herokuapp.com hf.space netlify.app ngrok.app ngrok.io ngrok-free.app onrender.com pages.dev " +
    "railway.app replit.app repl.co run.app smithery.ai trycloudflare.com vercel.app web.app workers.dev"
  ).split(" "),
);

/**
 * Whether two hosts belong to one owner, as far as names tell. In doubt it says no, and the person is asked once
 * more than needed: the list of public suffixes would be larger than this page.
 */
export function isSameSite(a: string, b: string): boolean {
  const [left, right] = [nameOf(a), nameOf(b)];
  return left === right || (siteOf(left) !== undefined && siteOf(left) === siteOf(right));
}

function siteOf(name: string): string | undefined {
  const labels = name.split(".");
  const [second = "", top = ""] = labels.slice(-2);
  // An address, or a name of this network.
  if (labels.length < 2 || /^\d+$/.test(top) || name.includes(":")) return undefined;
  const site = `${second}.${top}`;
  if (shared.has(site)) return undefined;
  // co.uk, com.au, ac.jp: what is sold there is one label longer.
  if (top.length === 2 && second.length <= 3)
    return labels.length < 3 ? undefined : labels.slice(-3).join(".");
  return site;
}

const nameOf = (host: string): string => host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
