import { z } from "zod";
import * as account from "./schemas/account.ts";
import * as billing from "./schemas/billing.ts";
import * as connections from "./schemas/connections.ts";
import * as events from "./schemas/events.ts";
import { service, services } from "./schemas/services.ts";

/** Who may: anyone; an API token of scope `read` or `manage` or its person; or only the person, signed in. */
export type Access = "public" | "read" | "manage" | "owner";

export interface Operation {
  readonly method: "get" | "post" | "patch" | "delete";
  /** As in OpenAPI: `{id}` is a parameter. */
  readonly path: string;
  readonly tag:
    | "Connections"
    | "Services"
    | "Account"
    | "Tokens"
    | "Audit log"
    | "Billing"
    | "Support"
    | "Deployment";
  readonly summary: string;
  readonly access: Access;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Status → what the answer holds: a schema, or a media type. */
  readonly answers: Readonly<Record<number, z.ZodType | string>>;
  /** Takes an Idempotency-Key. */
  readonly once?: true;
  /** Takes the present credential in `Bindify-Credential`. */
  readonly presented?: true;
}

const health = z.strictObject({ status: z.literal("ok") });
const version = z.strictObject({
  name: z.string(),
  version: z.string(),
  commit: z.string().nullable(),
  bundle_sha256: z.string().nullable(),
});

/** Every address of the JSON API, with the schemas that its routes check requests with and its answers obey. */
export const operations: readonly Operation[] = [
  // Connections
  {
    method: "get",
    path: "/api/connections",
    tag: "Connections",
    summary: "List connections, newest first",
    access: "read",
    query: connections.connectionsQuery,
    answers: { 200: connections.connectionsPage },
  },
  {
    method: "post",
    path: "/api/connections",
    tag: "Connections",
    summary: "Connect a service with a key; the answer holds the credential, once",
    access: "manage",
    body: connections.newConnection,
    answers: { 201: connections.connected },
    once: true,
  },
  {
    method: "post",
    path: "/api/connections/authorize",
    tag: "Connections",
    summary: "Begin a sign-in to a service",
    access: "manage",
    body: connections.signInBegin,
    answers: { 200: connections.signInBegun },
  },
  {
    method: "post",
    path: "/api/connections/complete",
    tag: "Connections",
    summary: "Finish a sign-in with the service's answer; the answer holds the credential, once",
    access: "manage",
    body: connections.signInAnswer,
    answers: { 201: connections.signedIn },
    once: true,
  },
  {
    method: "get",
    path: "/api/connections/{id}",
    tag: "Connections",
    summary: "One connection",
    access: "read",
    answers: { 200: connections.connection },
  },
  {
    method: "patch",
    path: "/api/connections/{id}",
    tag: "Connections",
    summary: "Rename a connection",
    access: "manage",
    body: connections.connectionChange,
    answers: { 200: connections.connection },
  },
  {
    method: "delete",
    path: "/api/connections/{id}",
    tag: "Connections",
    summary: "Disconnect; with purge=now also delete everything of the connection",
    access: "manage",
    query: connections.deletionQuery,
    answers: { 200: connections.disconnected },
    presented: true,
  },
  {
    method: "post",
    path: "/api/connections/{id}/credential",
    tag: "Connections",
    summary: "Replace the credential; the answer holds the new one, once",
    access: "manage",
    body: connections.regeneration,
    answers: { 201: connections.connected },
    once: true,
  },
  {
    method: "get",
    path: "/api/connections/{id}/health",
    tag: "Connections",
    summary: "How a connection is, from what its calls showed; nothing is probed",
    access: "read",
    answers: { 200: connections.health },
  },
  {
    method: "get",
    path: "/api/connections/{id}/activity",
    tag: "Connections",
    summary: "Calls and renewals for each day",
    access: "read",
    query: connections.activityQuery,
    answers: { 200: connections.activity },
  },
  // Services
  {
    method: "get",
    path: "/api/services",
    tag: "Services",
    summary: "The catalogue",
    access: "public",
    answers: { 200: services },
  },
  {
    method: "get",
    path: "/api/services/{id}",
    tag: "Services",
    summary: "One service of the catalogue",
    access: "public",
    answers: { 200: service },
  },
  // Account
  {
    method: "get",
    path: "/api/me",
    tag: "Account",
    summary: "Who is signed in",
    access: "read",
    answers: { 200: account.me },
  },
  {
    method: "delete",
    path: "/api/account",
    tag: "Account",
    summary: "Delete the account and everything of it",
    access: "owner",
    body: account.deletion,
    answers: { 200: account.deleted, 202: account.deleted },
  },
  {
    method: "get",
    path: "/api/tokens",
    tag: "Tokens",
    summary: "API tokens, newest first",
    access: "read",
    answers: { 200: account.tokens },
  },
  {
    method: "post",
    path: "/api/tokens",
    tag: "Tokens",
    summary: "Make an API token; the answer holds it, once",
    access: "owner",
    body: account.newToken,
    answers: { 201: account.createdToken },
    once: true,
  },
  {
    method: "delete",
    path: "/api/tokens/{id}",
    tag: "Tokens",
    summary: "Revoke an API token; a token of scope manage may revoke itself",
    access: "manage",
    answers: { 200: account.oneToken },
  },
  // Audit log
  {
    method: "get",
    path: "/api/events",
    tag: "Audit log",
    summary: "Events, newest first",
    access: "read",
    query: events.eventsQuery,
    answers: { 200: events.eventsPage },
  },
  {
    method: "get",
    path: "/api/events/export",
    tag: "Audit log",
    summary: "Up to 20,000 events from `after` on as NDJSON; the last line says where to go on",
    access: "read",
    query: events.exportQuery,
    answers: { 200: "application/x-ndjson" },
  },
  {
    method: "get",
    path: "/api/events/verify",
    tag: "Audit log",
    summary: "Check the chain, up to 20,000 events a call; repeat with next_cursor",
    access: "read",
    query: events.verifyQuery,
    answers: { 200: events.verified },
  },
  // Billing: 404 where the deployment has none
  {
    method: "get",
    path: "/api/billing",
    tag: "Billing",
    summary: "The plan, what it follows from, and what connections cost",
    access: "read",
    answers: { 200: billing.billing },
  },
  {
    method: "post",
    path: "/api/billing/checkout",
    tag: "Billing",
    summary: "Begin to pay: the address of Stripe's page",
    access: "owner",
    body: billing.checkoutBody,
    answers: { 200: billing.checkout },
  },
  {
    method: "post",
    path: "/api/billing/verify",
    tag: "Billing",
    summary: "After coming back from Stripe: ask it how things stand",
    access: "owner",
    body: billing.verifyBody,
    answers: { 200: billing.verified },
  },
  {
    method: "post",
    path: "/api/billing/portal",
    tag: "Billing",
    summary: "The address of Stripe's page for cards, invoices and ending a subscription",
    access: "owner",
    body: billing.portalBody,
    answers: { 200: billing.portal },
  },
  {
    method: "post",
    path: "/api/billing/quantity",
    tag: "Billing",
    summary: "Change how many connections are paid for; with `preview` only say what it would cost",
    access: "owner",
    body: billing.quantityBody,
    answers: { 200: billing.changed },
  },
  {
    method: "post",
    path: "/webhooks/stripe",
    tag: "Billing",
    summary: "Stripe's events, signed by it",
    access: "public",
    body: z.looseObject({}),
    answers: { 200: billing.webhookOutcome },
  },
  // Support: 404 where the deployment takes no messages
  {
    method: "get",
    path: "/api/support/nonce",
    tag: "Support",
    summary: "Leave to send one message to the operator",
    access: "owner",
    answers: { 200: account.supportNonce },
  },
  {
    method: "post",
    path: "/api/support",
    tag: "Support",
    summary: "Send a message to the operator: it is filed as a ticket, and kept nowhere else",
    access: "owner",
    body: account.supportMessage,
    answers: { 202: account.supportSent },
  },
  // Deployment
  {
    method: "get",
    path: "/api/config",
    tag: "Deployment",
    summary: "What a page needs to know before anyone has signed in",
    access: "public",
    answers: { 200: account.config },
  },
  {
    method: "get",
    path: "/healthz",
    tag: "Deployment",
    summary: "For monitors",
    access: "public",
    answers: { 200: health },
  },
  {
    method: "get",
    path: "/version",
    tag: "Deployment",
    summary: "The running version",
    access: "public",
    answers: { 200: version },
  },
  {
    method: "get",
    path: "/openapi.json",
    tag: "Deployment",
    summary: "This document",
    access: "public",
    answers: { 200: z.looseObject({ openapi: z.string() }) },
  },
  {
    method: "get",
    path: "/docs",
    tag: "Deployment",
    summary: "This document as a page",
    access: "public",
    answers: { 200: "text/html" },
  },
  {
    method: "get",
    path: "/security",
    tag: "Deployment",
    summary: "What is promised, what is not, and how to report a vulnerability",
    access: "public",
    answers: { 200: "text/html" },
  },
  {
    method: "get",
    path: "/oauth/callback",
    tag: "Deployment",
    summary: "Where services send people back to",
    access: "public",
    answers: { 303: "" },
  },
  {
    method: "get",
    path: "/oauth/client.json",
    tag: "Deployment",
    summary: "The Client ID Metadata Document",
    access: "public",
    answers: { 200: z.looseObject({ client_id: z.string() }) },
  },
];
