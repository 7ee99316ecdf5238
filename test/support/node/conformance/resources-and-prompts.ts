import {
  acceptedContent,
  inputRequired,
  type McpServer,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { asksFor, fromUser, png } from "./samples.ts";

export function addResources(server: McpServer): void {
  const plain = { mimeType: "text/plain" };
  server.registerResource("static-text", "test://static-text", { title: "Text", ...plain }, ({ href }) => ({
    contents: [{ uri: href, ...plain, text: "This is the content of the static text resource." }],
  }));
  server.registerResource(
    "static-binary",
    "test://static-binary",
    { title: "Image", mimeType: "image/png" },
    ({ href }) => ({ contents: [{ uri: href, mimeType: "image/png", blob: png }] }),
  );
  server.registerResource(
    "template",
    new ResourceTemplate("test://template/{id}/data", { list: undefined }),
    { title: "Template", mimeType: "application/json" },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: "application/json",
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
  server.registerResource(
    "watched",
    "test://watched-resource",
    { title: "Watched", ...plain },
    ({ href }) => ({
      contents: [{ uri: href, ...plain, text: "Watched resource content" }],
    }),
  );
  server.server.setRequestHandler("resources/subscribe", () => ({}));
  server.server.setRequestHandler("resources/unsubscribe", () => ({}));
}

export function addPrompts(server: McpServer): void {
  server.registerPrompt("test_simple_prompt", { description: "No arguments" }, () =>
    fromUser({ type: "text", text: "This is a simple prompt for testing." }),
  );
  server.registerPrompt(
    "test_prompt_with_arguments",
    { description: "Two arguments", argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) =>
      fromUser({ type: "text", text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  );
  server.registerPrompt(
    "test_prompt_with_embedded_resource",
    { description: "Embeds a resource", argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) =>
      fromUser(
        {
          type: "resource",
          resource: {
            uri: resourceUri,
            mimeType: "text/plain",
            text: "Embedded resource content for testing.",
          },
        },
        { type: "text", text: "Please process the embedded resource above." },
      ),
  );
  server.registerPrompt("test_prompt_with_image", { description: "Holds an image" }, () =>
    fromUser(
      { type: "image", data: png, mimeType: "image/png" },
      { type: "text", text: "Please analyze the image above." },
    ),
  );
  server.registerPrompt(
    "test_input_required_result_prompt",
    { description: "Asks before it renders", argsSchema: z.object({}) },
    (_, { mcpReq }) => {
      const context = acceptedContent<{ context: string }>(mcpReq.inputResponses, "user_context")?.context;
      if (typeof context === "string") {
        return fromUser({ type: "text", text: `Use the following context: ${context}` });
      }
      const ask = asksFor("context", "string", "What context should the prompt use?");
      return inputRequired({ inputRequests: { user_context: inputRequired.elicit(ask) } });
    },
  );
}
