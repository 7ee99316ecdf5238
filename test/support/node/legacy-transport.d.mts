export declare const SSEClientTransport: typeof import("@modelcontextprotocol/sdk/client/sse.js").SSEClientTransport;
export declare const SSEServerTransport: typeof import("@modelcontextprotocol/sdk/server/sse.js").SSEServerTransport;
export type LegacySession = InstanceType<typeof SSEServerTransport>;
