import { describe, expect, it } from "vitest";
import { readEndpointEvent } from "../../src/proxy/legacy-sse.ts";
import { deniedUrls, misshapenUrls } from "../support/hosts.ts";

const sealed = "https://mcp.example.com/sse";

async function endpointIn(data: string): Promise<string> {
  const body = new Response(`: hello\n\nevent: endpoint\ndata: ${data}\n\n`).body;
  if (body === null) throw new Error("no body");
  return (await readEndpointEvent(body.getReader(), sealed)).endpoint;
}

describe("the address that an HTTP+SSE server names for messages", () => {
  it("T50 T51 of another origin is refused in every spelling", async () => {
    // Relative ones and a mere fragment lead to the sealed origin.
    const own = new Set(["", "mcp.example.com", "//mcp.example.com/", "https://mcp.example.com/#fragment"]);
    for (const url of [...deniedUrls, ...misshapenUrls.filter((text) => !own.has(text))]) {
      const named = await endpointIn(url).catch((error: unknown) => error);
      expect(named, url).toMatchObject({ code: "upstream_protocol" });
    }
  });

  it("T51 user names, backslashes and schemes do not change the origin", async () => {
    for (const url of [
      "//evil.example/messages",
      "\\\\evil.example/messages",
      "https:\\\\evil.example/messages",
      "https://mcp.example.com@evil.example/messages",
      "https://user@mcp.example.com/messages",
      "https://mcp.example.com.evil.example/messages",
      "http://mcp.example.com/messages",
      "https://mcp.example.com:8443/messages",
      "javascript:alert(1)",
    ]) {
      const named = await endpointIn(url).catch((error: unknown) => error);
      expect(named, url).toMatchObject({ code: "upstream_protocol" });
    }
  });

  it("of the sealed origin is taken", async () => {
    expect(await endpointIn("/messages?sessionId=1")).toBe("https://mcp.example.com/messages?sessionId=1");
    expect(await endpointIn("https://mcp.example.com/m")).toBe("https://mcp.example.com/m");
  });
});
