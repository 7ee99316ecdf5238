import { setTimeout as pause } from "node:timers/promises";
import { type CallToolResult, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Note, Notebook } from "./notes.ts";

const text = (value: string): CallToolResult => ({ content: [{ type: "text", text: value }] });
const lines = (notes: readonly Note[]) => notes.map((note) => `${note.id}. ${note.text}`).join("\n");

export function createNotesServer(notebook: Notebook): McpServer {
  const server = new McpServer(
    { name: "demo-notes", title: "Demo notes", version: "1.0.0" },
    { instructions: "A small notebook to try Bindify with. Notes are kept in memory only." },
  );

  server.registerTool(
    "add_note",
    {
      title: "Add a note",
      description: "Writes a note down.",
      inputSchema: z.object({ text: z.string().min(1).max(2000).describe("What to write down") }),
    },
    (input) => {
      const note = notebook.add(input.text);
      return text(`Note ${note.id} added: ${note.text}`);
    },
  );

  server.registerTool(
    "list_notes",
    { title: "List notes", description: "Lists every note.", annotations: { readOnlyHint: true } },
    () => text(lines(notebook.list())),
  );

  server.registerTool(
    "search_notes",
    {
      title: "Search notes",
      description: "Lists the notes that contain a word or phrase, in any case.",
      inputSchema: z.object({ query: z.string().min(1).max(200).describe("Word or phrase to look for") }),
      annotations: { readOnlyHint: true },
    },
    ({ query }) => {
      const found = notebook.search(query);
      return text(found.length > 0 ? lines(found) : `No note contains “${query}”.`);
    },
  );

  server.registerTool(
    "count_slowly",
    {
      title: "Count slowly",
      description: "Counts up and reports progress at every step, to show that streaming works.",
      inputSchema: z.object({
        to: z.int().min(1).max(100).default(5).describe("Where to stop"),
        pause_ms: z.int().min(0).max(60_000).default(300).describe("Milliseconds between two steps"),
      }),
      annotations: { readOnlyHint: true },
    },
    async ({ to, pause_ms }, context) => {
      // A server must not report progress that was not asked for.
      const { _meta: meta, signal } = context.mcpReq;
      const progressToken = meta?.progressToken;
      for (let progress = 1; progress <= to; progress++) {
        await pause(pause_ms, undefined, { signal });
        if (progressToken === undefined) continue;
        const params = { progressToken, progress, total: to, message: `Counted to ${progress}` };
        await context.mcpReq.notify({ method: "notifications/progress", params });
      }
      return text(`Counted to ${to}.`);
    },
  );

  return server;
}
