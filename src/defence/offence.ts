/**
 * What a request that found nothing was. `scan`: a path that only scanners of other people's software ask for;
 * `guess`: a credential that is unknown; `stray`: an address that is none of ours; `innocent`: what clients do in good
 * faith, such as looking for an authorization server, or forgetting their key.
 */
export type Offence = "scan" | "guess" | "stray" | "innocent";

const scanned = new RegExp(
  [
    String.raw`/\.(?:env|git|svn|hg|aws|ssh|docker|vscode|idea|ds_store|htaccess|htpasswd|npmrc)\b`,
    String.raw`\.(?:php\d?|phtml|aspx?|jspx?|cgi|cfm|sql|bak|ya?ml|ini|log|zip|t?gz|rar|7z)$`,
    "/(?:wp-(?:admin|content|includes|json|login)|wordpress|phpmyadmin|pma|adminer|xmlrpc|cgi-bin|actuator|solr)\\b",
    "/(?:owa|ecp|autodiscover|manager/html|hnap1|boaform|vendor/phpunit|server-status|telescope|_ignition)\\b",
    String.raw`(?:\.\.|%2e%2e|\.%2e|%2e\.)(?:/|%2f|%5c)|/etc/passwd|%00`,
  ].join("|"),
  "i",
);

/** Where MCP clients and browsers look of their own accord. */
const customary =
  /\/\.well-known\/|\/(?:register|authorize|token|introspect|revoke|favicon\.ico|robots\.txt|apple-touch-icon[\w-]*\.png)$|^\/$/;

/** Judges the path of a request that no route answers. */
export function strayOffence(path: string): Offence {
  if (scanned.test(path)) return "scan";
  return customary.test(path) ? "innocent" : "stray";
}
