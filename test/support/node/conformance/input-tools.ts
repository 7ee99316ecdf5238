import { randomBytes, randomUUID } from "node:crypto";
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  type InputRequests,
  inputRequired,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { asksFor, text } from "./samples.ts";

/** Seals `requestState`, which comes back through the client and is the attacker's to change (SEP-2322). */
export const requestState = createRequestStateCodec<{
  tool: string;
  nonce: string;
  round?: number;
  name?: string;
}>({
  key: randomBytes(32),
});

const mint = (tool: string, more: { round?: number; name?: string } = {}) =>
  requestState.mint({ tool, nonce: randomUUID(), ...more });

const askName = inputRequired.elicit(asksFor("name", "string", "What is your name?"));
const askConfirmation = inputRequired.elicit(asksFor("ok", "boolean", "Please confirm"));
const askModel = (question: string) =>
  inputRequired.createMessage({
    messages: [{ role: "user", content: { type: "text", text: question } }],
    maxTokens: 100,
  });

const sampled = z.object({ content: z.object({ text: z.string() }) });
const rooted = z.object({ roots: z.array(z.object({ uri: z.string() })) });
const capabilities = z.record(z.string(), z.unknown()).catch({});
const nothing = z.object({});

function addOneRoundTools(server: McpServer): void {
  server.registerTool(
    "test_input_required_result_elicitation",
    { description: "Asks for a name", inputSchema: nothing },
    (_, { mcpReq }) => {
      const name = acceptedContent<{ name: string }>(mcpReq.inputResponses, "user_name")?.name;
      if (typeof name === "string") return text(`Hello, ${name}!`);
      return inputRequired({ inputRequests: { user_name: askName } });
    },
  );
  server.registerTool(
    "test_input_required_result_sampling",
    { description: "Asks the client's model", inputSchema: nothing },
    (_, { mcpReq }) => {
      const answer = sampled.safeParse(mcpReq.inputResponses?.["capital_question"]);
      if (answer.success) return text(`Sampling response: ${answer.data.content.text}`);
      return inputRequired({
        inputRequests: { capital_question: askModel("What is the capital of France?") },
      });
    },
  );
  server.registerTool(
    "test_input_required_result_list_roots",
    { description: "Asks for the client's roots", inputSchema: nothing },
    (_, { mcpReq }) => {
      const answer = rooted.safeParse(mcpReq.inputResponses?.["client_roots"]);
      if (!answer.success)
        return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
      const { roots } = answer.data;
      return text(`Client exposed ${roots.length} root(s): ${roots.map(({ uri }) => uri).join(", ")}`);
    },
  );
  server.registerTool(
    "test_missing_capability",
    { description: "Needs the sampling capability", inputSchema: nothing },
    (_, { mcpReq }) =>
      mcpReq.inputResponses?.["llm_answer"] === undefined
        ? inputRequired({ inputRequests: { llm_answer: askModel("Reply with the single word: pong") } })
        : text("sampling round-trip complete"),
  );
  server.registerTool(
    "test_input_required_result_capabilities",
    { description: "Asks only for what the client declared", inputSchema: nothing },
    (_, { mcpReq }) => {
      if (mcpReq.inputResponses !== undefined) return text("Capability-aware input requests fulfilled");
      // Sampling and roots are deprecated in 2026-07-28, and still what a request declares.
      const envelope: Record<string, unknown> = { ...mcpReq.envelope };
      const declared = capabilities.parse(envelope[CLIENT_CAPABILITIES_META_KEY]);
      const inputRequests: InputRequests = {};
      if (declared["elicitation"]) inputRequests["user_name"] = askName;
      if (declared["sampling"]) inputRequests["greeting"] = askModel("Generate a short greeting");
      if (declared["roots"]) inputRequests["client_roots"] = inputRequired.listRoots();
      if (Object.keys(inputRequests).length === 0) return text("No declared capability can answer");
      return inputRequired({ inputRequests });
    },
  );
}

function addStatefulTools(server: McpServer): void {
  server.registerTool(
    "test_input_required_result_request_state",
    { description: "Carries state around", inputSchema: nothing },
    async (_, { mcpReq }) => {
      if (acceptedContent(mcpReq.inputResponses, "confirm") === undefined) {
        const state = await mint("request_state");
        return inputRequired({ inputRequests: { confirm: askConfirmation }, requestState: state });
      }
      if (mcpReq.requestState() === undefined) {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, "requestState is missing");
      }
      return text("state-ok: requestState verified and confirmation received");
    },
  );
  server.registerTool(
    "test_input_required_result_tampered_state",
    { description: "Refuses state that was changed", inputSchema: nothing },
    async (_, { mcpReq }) => {
      const confirmed = acceptedContent(mcpReq.inputResponses, "confirm") !== undefined;
      if (confirmed && mcpReq.requestState() !== undefined)
        return text("integrity-ok: requestState verified");
      const state = await mint("tampered_state");
      return inputRequired({ inputRequests: { confirm: askConfirmation }, requestState: state });
    },
  );
  server.registerTool(
    "test_input_required_result_multiple_inputs",
    { description: "Asks for three things at once", inputSchema: nothing },
    async (_, { mcpReq }) => {
      const responses = mcpReq.inputResponses;
      const name = acceptedContent<{ name: string }>(responses, "user_name")?.name;
      const greeting = sampled.safeParse(responses?.["greeting"]);
      const roots = rooted.safeParse(responses?.["client_roots"]);
      if (typeof name === "string" && greeting.success && roots.success) {
        return text(`${greeting.data.content.text} ${name}: ${roots.data.roots.length} root(s) visible`);
      }
      return inputRequired({
        inputRequests: {
          user_name: askName,
          greeting: askModel("Generate a greeting"),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await mint("multiple_inputs"),
      });
    },
  );
  server.registerTool(
    "test_input_required_result_multi_round",
    { description: "Asks twice", inputSchema: nothing },
    async (_, { mcpReq }) => {
      const state = mcpReq.requestState<{ tool?: string; round?: number; name?: string }>();
      const round = state?.tool === "multi_round" ? (state.round ?? 0) : 0;
      if (round === 0) {
        const step1 = inputRequired.elicit(asksFor("name", "string", "Step 1: What is your name?"));
        const next = await mint("multi_round", { round: 1 });
        return inputRequired({ inputRequests: { step1 }, requestState: next });
      }
      if (round === 1) {
        const name = acceptedContent<{ name: string }>(mcpReq.inputResponses, "step1")?.name ?? "unknown";
        const step2 = inputRequired.elicit(
          asksFor("color", "string", "Step 2: What is your favorite color?"),
        );
        const next = await mint("multi_round", { round: 2, name });
        return inputRequired({ inputRequests: { step2 }, requestState: next });
      }
      const color = acceptedContent<{ color: string }>(mcpReq.inputResponses, "step2")?.color ?? "unknown";
      return text(`Multi-round complete: ${state?.name ?? "unknown"} likes ${color}`);
    },
  );
}

/** Tools that answer `input_required` until the retried request carries what they need (2026-07-28). */
export function addInputTools(server: McpServer): void {
  addOneRoundTools(server);
  addStatefulTools(server);
}
