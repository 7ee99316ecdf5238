// HTTP+SSE (2024-11-05) is deprecated in the SDK and still what many servers speak: it is used here on purpose.
export { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
export { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
