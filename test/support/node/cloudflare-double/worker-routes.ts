import { randomUUID } from "node:crypto";
import { z } from "zod";
import {
  deployedVersion,
  metadataSchema,
  Refused,
  type Account,
  type Metadata,
  type Version,
  type Worker,
} from "./account.ts";
import type { Route } from "./route.ts";

const secretSchema = z.strictObject({ name: z.string(), text: z.string(), type: z.literal("secret_text") });
const deploymentSchema = z.looseObject({
  versions: z.tuple([z.object({ version_id: z.string(), percentage: z.literal(100) })]),
});
const subdomainSchema = z.object({ enabled: z.boolean(), previews_enabled: z.boolean() });
const cronsSchema = z.array(z.strictObject({ cron: z.string() }));

function found({ workers }: Account, name: string): Worker {
  const worker = workers.get(name);
  if (worker === undefined) throw new Refused(404, 10_007, "This Worker does not exist on your account.");
  return worker;
}

/** Keeps what was uploaded, if it refers to what is there. */
async function addVersion(account: Account, worker: Worker, form: FormData): Promise<Version> {
  const metadata = metadataSchema.parse(JSON.parse(z.string().parse(form.get("metadata"))));
  const modules = new Map<string, string>();
  for (const [name, part] of form) if (typeof part !== "string") modules.set(name, await part.text());
  if (!modules.has(metadata.main_module)) throw new Refused(400, 10_021, "No such module.");
  for (const binding of metadata.bindings) checkBinding(account, binding);
  const page = account.sessions.get(metadata.assets?.jwt ?? "");
  if (page === undefined || !Object.values(page).every((hash) => account.files.has(hash))) {
    throw new Refused(400, 100_329, "The assets were not uploaded.");
  }
  if (!metadata.keep_bindings.includes("secret_text")) worker.secrets.clear();
  const version = { id: randomUUID(), metadata, modules, page };
  worker.versions.push(version);
  return version;
}

function checkBinding(account: Account, binding: Metadata["bindings"][number]): void {
  const { name, type, id, namespace_id } = binding;
  const isThere =
    (type !== "d1" || account.databases.has(String(id))) &&
    (type !== "kv_namespace" || account.namespaces.has(String(namespace_id)));
  if (!isThere) throw new Refused(400, 10_021, `binding ${name} of type ${type} must have a valid \`id\``);
}

const uploaded = ({ id }: Version) => ({ id, startup_time_ms: 1, resources: { script: { etag: id } } });

/** One worker's, below the account's address. */
export const workerRoutes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/workers\/services\/([^/]+)$/,
    run({ account, id }) {
      if (!account.workers.has(id)) throw new Refused(404, 10_090, "This service does not exist.");
      const script = { tag: id, tags: [], last_deployed_from: "wrangler" };
      return { result: { id, default_environment: { environment: "production", script } } };
    },
  },
  {
    method: "PUT",
    path: /^\/workers\/scripts\/([^/]+)$/,
    async run({ account, id, form }) {
      const worker: Worker = account.workers.get(id) ?? {
        versions: [],
        deployed: "",
        secrets: new Map(),
        crons: [],
        workersDev: false,
        previewUrls: false,
        settings: undefined,
      };
      const version = await addVersion(account, worker, await form());
      worker.deployed = version.id;
      account.workers.set(id, worker);
      return { result: { ...uploaded(version), id, deployment_id: version.id } };
    },
  },
  {
    method: "POST",
    path: /^\/workers\/scripts\/([^/]+)\/versions$/,
    run: async ({ account, id, form }) => ({
      result: uploaded(await addVersion(account, found(account, id), await form())),
    }),
  },
  {
    method: "GET",
    path: /^\/workers\/scripts\/([^/]+)\/deployments$/,
    run({ account, id }) {
      const versions = [{ version_id: deployedVersion(found(account, id)).id, percentage: 100 }];
      return { result: { deployments: [{ id: randomUUID(), strategy: "percentage", versions }] } };
    },
  },
  {
    method: "POST",
    path: /^\/workers\/scripts\/([^/]+)\/deployments$/,
    run({ account, id, body }) {
      const [{ version_id: version }] = deploymentSchema.parse(JSON.parse(body)).versions;
      const worker = found(account, id);
      worker.deployed = version;
      return { result: { id: deployedVersion(worker).id } };
    },
  },
  {
    method: "GET",
    path: /^\/workers\/scripts\/([^/]+)\/settings$/,
    run: ({ account, id }) => ({
      result: { bindings: deployedVersion(found(account, id)).metadata.bindings },
    }),
  },
  {
    method: "PATCH",
    path: /^\/workers\/scripts\/([^/]+)\/script-settings$/,
    run({ account, id, body }) {
      const worker = found(account, id);
      worker.settings = JSON.parse(body);
      return { result: worker.settings };
    },
  },
  {
    method: "GET",
    path: /^\/workers\/workers\/([^/]+)$/,
    run({ account, id }) {
      const { workersDev, previewUrls } = found(account, id);
      return { result: { name: id, subdomain: { enabled: workersDev, previews_enabled: previewUrls } } };
    },
  },
  {
    method: "POST",
    path: /^\/workers\/scripts\/([^/]+)\/subdomain$/,
    run({ account, id, body }) {
      const worker = found(account, id);
      const result = subdomainSchema.parse(JSON.parse(body));
      worker.workersDev = result.enabled;
      worker.previewUrls = result.previews_enabled;
      return { result };
    },
  },
  {
    method: "PUT",
    path: /^\/workers\/scripts\/([^/]+)\/schedules$/,
    run({ account, id, body }) {
      const schedules = cronsSchema.parse(JSON.parse(body));
      found(account, id).crons = schedules.map(({ cron }) => cron);
      return { result: { schedules } };
    },
  },
  {
    method: "GET",
    path: /^\/workers\/scripts\/([^/]+)\/secrets$/,
    run: ({ account, id }) => ({
      result: [...found(account, id).secrets.keys()].map((name) => ({ name, type: "secret_text" })),
    }),
  },
  {
    method: "PUT",
    path: /^\/workers\/scripts\/([^/]+)\/secrets$/,
    run({ account, id, body }) {
      const { name, text, type } = secretSchema.parse(JSON.parse(body));
      found(account, id).secrets.set(name, text);
      return { result: { name, type } };
    },
  },
];
