import type { ServiceInput } from "./service.ts";
import { googleOauth } from "./shared/google.ts";

export const googleDrive = {
  id: "google-drive",
  name: "Google Drive",
  category: "Documents and files",
  description: "Find, read and create files in Google Drive.",
  docs_url: "https://developers.google.com/workspace/guides/configure-mcp-servers",
  status: "preview",
  verified: { on: "2026-11", by: "docs" },
  requirements: [
    "An OAuth client in a Google Cloud project that has this server enabled: this deployment's, or your own.",
    "In an organisation, a Workspace admin may have to trust that client.",
  ],
  endpoint: { url: "https://drivemcp.googleapis.com/mcp/v1" },
  // Calls without a token were answered 200, so its sign-in has to be asked for all the same.
  anonymous: true,
  oauth: googleOauth,
} satisfies ServiceInput;
