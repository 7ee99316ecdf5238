import type { OauthInput } from "../service-oauth.ts";

/** Google Workspace's servers share one authorization server, which registers no clients by itself. */
export const googleOauth = {
  server: {
    issuer: "https://accounts.google.com",
    authorization: "https://accounts.google.com/o/oauth2/v2/auth",
    token: "https://oauth2.googleapis.com/token",
    revocation: "https://oauth2.googleapis.com/revoke",
  },
  clients: ["pre_registered"],
  own_client: {
    secret: "required",
    create_url: "https://console.cloud.google.com/auth/clients",
    instructions: [
      "In a Google Cloud project enable the service's API and its MCP server.",
      "Create an OAuth client of the type web application with this deployment's callback address.",
    ],
  },
  // Without both parameters Google answers no refresh token on a second sign-in.
  authorize_params: { access_type: "offline", prompt: "consent" },
  revocation: {
    style: "rfc7009",
    url: "https://oauth2.googleapis.com/revoke",
    // Ends whatever the person granted to the app.
    scope: "app_user",
    manage_url: "https://myaccount.google.com/connections",
  },
} satisfies OauthInput;
