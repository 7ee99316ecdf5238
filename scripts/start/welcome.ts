import { relative } from "node:path";
import { styleText } from "node:util";

/** A path as a person would type it. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

export interface Welcome {
  readonly url: string;
  readonly link: string;
  readonly demoUrl: string;
  readonly folder: string;
  readonly logFile: string;
}

const bold = (text: string) => styleText("bold", text);

/** What a newcomer reads once everything serves. */
export function welcome({ url, link, demoUrl, folder, logFile }: Welcome): string {
  return `
${bold("Bindify runs.")} Open the page and be signed in as its owner (the link works for 12 hours):

  ${link}

${bold("What to try next")}, in another terminal:

  npm run demo             the main job in a few seconds: connect, call, revoke
  npm run -s token         a bearer token for the JSON API at ${url}/api
  npm run -s token -- --link     a new sign-in link

In the page connect "Demo notes" with the key demo-notes-key; it is a real MCP server at ${demoUrl}.
Data, secrets and log are in ${folder} (the worker's log: ${logFile}). Ctrl-C stops everything.
`;
}
