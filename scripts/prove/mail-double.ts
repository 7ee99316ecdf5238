import type { Double } from "./double.ts";

const taken = { request_id: "r", data: { succeeded: 1, failed: 0, failures: [], email_id: "1m4n8l" } };

/** Stands for SMTP2GO's "Send a standard email": keeps what it is sent, and repeats it where it refuses. */
export interface MailDouble extends Double {
  /** What the next mails get; when there is nothing left, they are taken. */
  readonly modes: ("refused" | "failing")[];
}

export function createMailDouble(): MailDouble {
  const modes: MailDouble["modes"] = [];
  return {
    modes,
    takes: (path) => path.startsWith("/v3/email/"),
    async answer({ request, response, body, echo }, collected) {
      const allowed = [{ rule: "the request to the mail provider" }] as const;
      for (const [name, value] of Object.entries(request.headers)) {
        const own = name === "x-smtp2go-api-key";
        collected.add("mail", `header ${name}`, String(value), own ? allowed : []);
      }
      for (const [field, value] of Object.entries<unknown>(JSON.parse(body))) {
        collected.add("mail", field, JSON.stringify(value), field === "to" ? allowed : []);
      }
      const mode = modes.shift();
      const status = mode === undefined ? 200 : mode === "refused" ? 400 : 503;
      response
        .writeHead(status, { "content-type": "application/json" })
        .end(mode === undefined ? JSON.stringify(taken) : echo);
    },
  };
}
