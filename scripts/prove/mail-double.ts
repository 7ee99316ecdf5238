import type { IncomingMessage, ServerResponse } from "node:http";
import type { Collected } from "./evidence.ts";

const taken = { request_id: "r", data: { succeeded: 1, failed: 0, failures: [], email_id: "1m4n8l" } };

/** Stands for SMTP2GO's "Send a standard email": keeps what it is sent, and repeats it where it refuses. */
export function answerMail(
  {
    request,
    response,
    body,
    echo,
  }: { request: IncomingMessage; response: ServerResponse; body: string; echo: string },
  mode: "refused" | "failing" | undefined,
  collected: Collected,
): void {
  const allowed = [{ rule: "the request to the mail provider" }] as const;
  for (const [name, value] of Object.entries(request.headers)) {
    const own = name === "x-smtp2go-api-key";
    collected.add("mail", `header ${name}`, String(value), own ? allowed : []);
  }
  for (const [field, value] of Object.entries<unknown>(JSON.parse(body))) {
    collected.add("mail", field, JSON.stringify(value), field === "to" ? allowed : []);
  }
  const status = mode === undefined ? 200 : mode === "refused" ? 400 : 503;
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(mode === undefined ? JSON.stringify(taken) : echo);
}
