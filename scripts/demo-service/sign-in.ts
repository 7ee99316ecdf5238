import type { IncomingMessage, ServerResponse } from "node:http";
import { scopes } from "./authorization-server.ts";
import { readBody } from "./http-bridge.ts";
import type { Interaction, InteractionResult, Provider } from "./oidc.mjs";
import { consentPage, errorPage, pageHeaders } from "./pages.ts";

const formLimit = 4096;

const stringOf = (value: unknown) => (typeof value === "string" ? value : "");

/** The name that a person signs in with, in the one form that its notes are kept under. */
const personOf = (name: string) => name.normalize("NFKC").trim().slice(0, 40).toLowerCase();

async function findInteraction(provider: Provider, request: IncomingMessage, response: ServerResponse) {
  try {
    return await provider.interactionDetails(request, response);
  } catch (error) {
    if (error instanceof Error && error.name === "SessionNotFound") return undefined;
    throw error;
  }
}

async function consent(provider: Provider, resource: string, interaction: Interaction, person: string) {
  const grant = new provider.Grant({
    accountId: person,
    clientId: stringOf(interaction.params["client_id"]),
  });
  const asked = stringOf(interaction.params["scope"]).split(" ").filter(Boolean);
  grant.addOIDCScope(asked.join(" "));
  grant.addResourceScope(resource, scopes.filter((scope) => asked.includes(scope)).join(" "));
  return grant.save();
}

/** Serves the one page of the sign-in and takes its form: who you are and whether you agree. */
export async function serveSignIn(
  provider: Provider,
  resource: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await findInteraction(provider, request, response);
  if (!interaction) {
    response.writeHead(400, pageHeaders).end(errorPage("It has expired, or was begun in another browser."));
    return;
  }
  const { params } = interaction;
  const client = await provider.Client.find(stringOf(params["client_id"]));
  const showPage = (status: number) => {
    const name = client?.clientName ?? client?.clientId ?? "this application";
    const host = URL.parse(stringOf(params["redirect_uri"]))?.host ?? name;
    response.writeHead(status, pageHeaders).end(consentPage(name, host, "demo"));
  };
  if (request.method !== "POST") {
    showPage(200);
    return;
  }
  const form = new URLSearchParams((await readBody(request, formLimit)).toString("utf8"));
  const finish = (result: InteractionResult) =>
    provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  if (form.get("action") === "deny") {
    await finish({ error: "access_denied", error_description: "The sign-in was cancelled." });
    return;
  }
  const person = personOf(form.get("name") ?? "");
  if (person === "") {
    showPage(422);
    return;
  }
  const grantId = await consent(provider, resource, interaction, person);
  await finish({ login: { accountId: person }, consent: { grantId } });
}
