import type { CallToolResult, GetPromptResult } from "@modelcontextprotocol/server";

/** A PNG of one red pixel. */
export const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A WAV file without samples. */
export const wav = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

export const text = (value: string): CallToolResult => ({ content: [{ type: "text", text: value }] });

type PromptContent = GetPromptResult["messages"][number]["content"];

export const fromUser = (...contents: PromptContent[]): GetPromptResult => ({
  messages: contents.map((content) => ({ role: "user", content })),
});

export const asksFor = <Type extends "string" | "boolean">(name: string, type: Type, message: string) => ({
  message,
  requestedSchema: { type: "object" as const, properties: { [name]: { type } }, required: [name] },
});
