import { describe, expect, it } from "vitest";
import { isAddressRange } from "../../src/defence/allow-list.ts";
import { strayOffence } from "../../src/defence/offence.ts";

describe("the path of a request that no route answers", () => {
  it.each([
    "/.env",
    "/api/.env.production",
    "/.git/config",
    "/.aws/credentials",
    "/wp-login.php",
    "/wp-admin/setup-config.php",
    "/blog/wp-includes/wlwmanifest.xml",
    "/xmlrpc.php",
    "/phpmyadmin/index.php",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/cgi-bin/luci",
    "/actuator/health",
    "/server-status",
    "/backup.sql",
    "/dump.tar.gz",
    "/config.yml",
    "/owa/auth/logon.aspx",
    "/a/..%2f..%2fetc/passwd",
    "/mcp/%2e%2e/%2e%2e/etc/shadow",
    "/login.action%00",
    "/.DS_Store",
  ])("%s is a scanner's", (path) => {
    expect(strayOffence(path)).toBe("scan");
  });

  it.each([
    "/",
    "/favicon.ico",
    "/robots.txt",
    "/apple-touch-icon-precomposed.png",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-authorization-server/mcp/custom",
    "/mcp/custom/.well-known/openid-configuration",
    "/register",
    "/mcp/custom/token",
  ])("T25 %s is what clients and browsers ask for by themselves", (path) => {
    expect(strayOffence(path)).toBe("innocent");
  });

  it.each(["/nope", "/mcp", "/api/nope", "/MCP/custom", "/environment", "/gitter", "/mcp/custom/a/b"])(
    "%s is astray",
    (path) => {
      expect(strayOffence(path)).toBe("stray");
    },
  );
});

describe("ALLOWED_ADDRESSES", () => {
  it.each(["192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32", "::1"])("takes %s", (text) => {
    expect(isAddressRange(text)).toBe(true);
  });

  it.each(["", "1", "192.0.2", "192.0.2.0/33", "example.com", "192.0.2.1-9", "*", "2001:db8::/200"])(
    "refuses %j",
    (text) => {
      expect(isAddressRange(text)).toBe(false);
    },
  );
});
