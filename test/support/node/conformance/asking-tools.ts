import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { text } from "./samples.ts";

const titled = (...pairs: [string, string][]) => pairs.map(([value, title]) => ({ const: value, title }));

const defaults = {
  name: { type: "string", description: "User name", default: "John Doe" },
  age: { type: "integer", description: "User age", default: 30 },
  score: { type: "number", description: "User score", default: 95.5 },
  status: {
    type: "string",
    description: "User status",
    enum: ["active", "inactive", "pending"],
    default: "active",
  },
  verified: { type: "boolean", description: "Verification status", default: true },
} as const;

const options = ["option1", "option2", "option3"];
const enums = {
  untitledSingle: { type: "string" as const, enum: options },
  titledSingle: {
    type: "string" as const,
    oneOf: titled(["value1", "First Option"], ["value2", "Second Option"], ["value3", "Third Option"]),
  },
  legacyEnum: {
    type: "string" as const,
    enum: ["opt1", "opt2", "opt3"],
    enumNames: ["Option One", "Option Two", "Option Three"],
  },
  untitledMulti: {
    type: "array" as const,
    minItems: 1,
    maxItems: 3,
    items: { type: "string" as const, enum: options },
  },
  titledMulti: {
    type: "array" as const,
    minItems: 1,
    maxItems: 3,
    items: {
      anyOf: titled(["value1", "First Choice"], ["value2", "Second Choice"], ["value3", "Third Choice"]),
    },
  },
};

/** Tools that ask the client in the middle of a call by a request of their own (up to 2025-11-25). */
export function addAskingTools(server: McpServer): void {
  server.registerTool(
    "test_sampling",
    { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const answer = await mcpReq.send({
        method: "sampling/createMessage",
        params: { messages: [{ role: "user", content: { type: "text", text: prompt } }], maxTokens: 100 },
      });
      const [content] = [answer.content].flat();
      return text(`LLM response: ${content?.type === "text" ? content.text : "none"}`);
    },
  );
  server.registerTool(
    "test_elicitation",
    { description: "Asks the person", inputSchema: z.object({ message: z.string() }) },
    async ({ message }, { mcpReq }) => {
      const answer = await mcpReq.send({
        method: "elicitation/create",
        params: {
          message,
          requestedSchema: {
            type: "object",
            properties: { response: { type: "string", description: "User's response" } },
            required: ["response"],
          },
        },
      });
      return text(`User response: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
    },
  );
  const asking = { test_elicitation_sep1034_defaults: defaults, test_elicitation_sep1330_enums: enums };
  for (const [name, properties] of Object.entries(asking)) {
    server.registerTool(
      name,
      { description: "Asks the person with a larger form", inputSchema: z.object({}) },
      async (_, { mcpReq }) => {
        const requestedSchema = { type: "object" as const, properties, required: [] };
        const params = { message: "Please fill the form in", requestedSchema };
        const answer = await mcpReq.send({ method: "elicitation/create", params });
        return text(
          `Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`,
        );
      },
    );
  }
}
