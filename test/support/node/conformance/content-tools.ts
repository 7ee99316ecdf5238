import { setTimeout as pause } from "node:timers/promises";
import { fromJsonSchema, type McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Peer } from "../../../../scripts/demo-service/both-eras.ts";
import { png, text, wav } from "./samples.ts";

const nothing = z.object({});

function addContentTools(server: McpServer): void {
  server.registerTool("test_simple_text", { description: "Answers with text" }, () =>
    text("This is a simple text response for testing."),
  );
  server.registerTool("test_image_content", { description: "Answers with an image" }, () => ({
    content: [{ type: "image", data: png, mimeType: "image/png" }],
  }));
  server.registerTool("test_audio_content", { description: "Answers with audio" }, () => ({
    content: [{ type: "audio", data: wav, mimeType: "audio/wav" }],
  }));
  server.registerTool("test_embedded_resource", { description: "Answers with a resource" }, () => ({
    content: [
      {
        type: "resource",
        resource: {
          uri: "test://embedded-resource",
          mimeType: "text/plain",
          text: "This is an embedded resource content.",
        },
      },
    ],
  }));
  server.registerTool("test_multiple_content_types", { description: "Answers with three kinds" }, () => ({
    content: [
      { type: "text", text: "Multiple content types test:" },
      { type: "image", data: png, mimeType: "image/png" },
      {
        type: "resource",
        resource: {
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: JSON.stringify({ test: "data", value: 123 }),
        },
      },
    ],
  }));
  server.registerTool("test_error_handling", { description: "Fails" }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
}

function addStreamingTools(server: McpServer, peer: Peer): void {
  server.registerTool(
    "test_tool_with_logging",
    { description: "Logs while it runs", inputSchema: nothing },
    async (_, { mcpReq }) => {
      for (const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
        await mcpReq.notify({ method: "notifications/message", params: { level: "info", data } });
        await pause(50);
      }
      return text("Tool with logging executed successfully");
    },
  );
  server.registerTool(
    "test_tool_with_progress",
    { description: "Reports progress", inputSchema: nothing },
    async (_, { mcpReq }) => {
      const { _meta: meta } = mcpReq;
      const progressToken = meta?.progressToken;
      if (progressToken === undefined) return text("no-progress-token");
      for (const progress of [0, 50, 100]) {
        const params = { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` };
        await mcpReq.notify({ method: "notifications/progress", params });
        if (progress < 100) await pause(50);
      }
      return text(String(progressToken));
    },
  );
  server.registerTool(
    "test_reconnection",
    { description: "Closes its stream and answers after the client came back", inputSchema: nothing },
    async (_, { mcpReq }) => {
      peer.session?.closeSSEStream(mcpReq.id);
      await pause(100);
      return text("Reconnection test completed successfully.");
    },
  );
  server.registerTool(
    "test_logging_tool",
    { description: "Logs only for a request that names a level", inputSchema: nothing },
    async (_, { mcpReq }) => {
      const { _meta: meta } = mcpReq;
      const params = { level: "info" as const, data: "test_logging_tool ran" };
      if (meta?.["io.modelcontextprotocol/logLevel"] !== undefined) {
        await mcpReq.notify({ method: "notifications/message", params });
      }
      return text("logged");
    },
  );
  server.registerTool(
    "test_streaming_elicitation",
    { description: "Its stream carries no request of the server's own", inputSchema: nothing },
    () => text("result only"),
  );
  server.registerTool("test_trigger_tool_change", { description: "Says the tools changed" }, () => {
    peer.notify.toolsChanged();
    return text("published");
  });
  server.registerTool("test_trigger_prompt_change", { description: "Says the prompts changed" }, () => {
    peer.notify.promptsChanged();
    return text("published");
  });
}

/** Schemas that must survive `tools/list` verbatim; a Zod schema would be rewritten. */
function addSchemaTools(server: McpServer): void {
  const mirrored = { type: "string" as const, "x-mcp-header": "Region" };
  server.registerTool(
    "test_x_mcp_header",
    {
      description: "An argument that is mirrored into a header",
      inputSchema: fromJsonSchema<{ region?: string; level?: number }>({
        type: "object",
        properties: { region: mirrored, level: { type: "integer" } },
      }),
    },
    ({ region }) => text(`region=${region ?? "<none>"}`),
  );
  // Taken from text: `then` in an object literal would make it look like a promise.
  const conditional: object = JSON.parse(`{
    "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
    "then": { "required": ["phone"] },
    "else": { "required": ["email"] }
  }`);
  server.registerTool(
    "json_schema_2020_12_tool",
    {
      description: "JSON Schema 2020-12 keywords",
      inputSchema: fromJsonSchema({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        $defs: {
          address: {
            $anchor: "addressDef",
            type: "object",
            properties: { street: { type: "string" }, city: { type: "string" } },
          },
        },
        properties: {
          name: { type: "string" },
          address: { $ref: "#/$defs/address" },
          contactMethod: { type: "string", enum: ["phone", "email"] },
          phone: { type: "string" },
          email: { type: "string" },
        },
        allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
        ...conditional,
        additionalProperties: false,
      }),
    },
    (input) => text(`called with ${JSON.stringify(input)}`),
  );
}

export function addPlainTools(server: McpServer, peer: Peer): void {
  addContentTools(server);
  addStreamingTools(server, peer);
  addSchemaTools(server);
}
