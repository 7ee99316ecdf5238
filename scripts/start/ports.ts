import { once } from "node:events";
import { createServer } from "node:net";
import { codeOf } from "../lib/files.ts";
import { Problem } from "../lib/command.ts";

/** The port that the environment asks for, else `fallback`. */
export function readPort(variable: string, fallback: number): number {
  const text = process.env[variable] || String(fallback);
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new Problem(`${variable}=${text} is not a port: it must be a number from 1 to 65535.`);
  }
  return port;
}

/** Throws a sentence that names the variable to set where another program holds the port. */
export async function requireFreePort(port: number, variable: string, what: string): Promise<void> {
  const server = createServer();
  try {
    server.listen({ port, host: "127.0.0.1", exclusive: true });
    await once(server, "listening");
  } catch (error) {
    const reason = codeOf(error) === "EACCES" ? "may not be used by this account" : "is in use";
    throw new Problem(
      `Port ${port}, wanted for ${what}, ${reason}. Choose another one: ${variable}=${suggest(port)} npm start`,
    );
  }
  server.close();
  await once(server, "close");
}

function suggest(port: number): number {
  return port < 1024 ? 8787 : port < 65_000 ? port + 100 : port - 100;
}
