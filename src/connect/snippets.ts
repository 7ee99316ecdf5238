/** How one MCP client is pointed at a connection, ready to paste. */
export interface Snippet {
  readonly client: string;
  readonly title: string;
  readonly language: "shell" | "json" | "toml" | "text";
  /** Where the text goes, if it goes into a file. */
  readonly file?: string;
  readonly text: string;
  readonly note?: string;
}

interface Addresses {
  /** Name of the server in the client's list. */
  readonly name: string;
  /** Header form: needs the key beside it. */
  readonly mcpUrl: string;
  readonly secretUrl: string;
  readonly apiKey: string;
}

/**
 * Snippets for the clients people use (each client's own documentation, late 2026). The header form comes first
 * wherever the client can send one: addresses end up in more logs than headers do.
 */
export function clientSnippets({ name, mcpUrl, secretUrl, apiKey }: Addresses): readonly Snippet[] {
  const bearer = `Bearer ${apiKey}`;
  return [
    {
      client: "claude-code",
      title: "Claude Code",
      language: "shell",
      text: `claude mcp add --transport http ${name} ${mcpUrl} --header "Authorization: ${bearer}"`,
    },
    {
      client: "claude",
      title: "Claude (web and desktop)",
      language: "text",
      text: secretUrl,
      note: "Settings → Connectors → Add custom connector: paste this address and leave the OAuth fields empty.",
    },
    {
      client: "cursor",
      title: "Cursor",
      language: "json",
      file: ".cursor/mcp.json",
      text: json({ mcpServers: { [name]: { url: mcpUrl, headers: { Authorization: bearer } } } }),
    },
    {
      client: "vscode",
      title: "VS Code",
      language: "json",
      file: ".vscode/mcp.json",
      text: json({
        inputs: [
          { type: "promptString", id: `${name}-key`, description: `API key for ${name}`, password: true },
        ],
        servers: {
          [name]: { type: "http", url: mcpUrl, headers: { Authorization: `Bearer \${input:${name}-key}` } },
        },
      }),
      note: `VS Code asks once for the key and keeps it in its secret store. Paste: ${apiKey}`,
    },
    {
      client: "codex",
      title: "Codex",
      language: "toml",
      file: "~/.codex/config.toml",
      text: `[mcp_servers.${name}]\nurl = "${mcpUrl}"\nhttp_headers = { Authorization = "${bearer}" }`,
    },
    {
      client: "gemini-cli",
      title: "Gemini CLI",
      language: "json",
      file: "~/.gemini/settings.json",
      text: json({ mcpServers: { [name]: { httpUrl: mcpUrl, headers: { Authorization: bearer } } } }),
    },
    {
      client: "chatgpt",
      title: "ChatGPT",
      language: "text",
      text: secretUrl,
      note: "Settings → Connectors → Create: paste this address and choose no authentication.",
    },
    {
      client: "mcp-remote",
      title: "mcp-remote (any client that starts programs)",
      language: "json",
      text: json({
        mcpServers: {
          [name]: {
            command: "npx",
            // Some clients split arguments at spaces, hence none after the colon.
            args: ["-y", "mcp-remote", mcpUrl, "--header", "Authorization:${BINDIFY_AUTH}"],
            env: { BINDIFY_AUTH: bearer },
          },
        },
      }),
    },
  ];
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
