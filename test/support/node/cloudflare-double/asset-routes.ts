import { z } from "zod";
import { newId, Refused, type Account } from "./account.ts";
import type { Route } from "./route.ts";

const manifestSchema = z.strictObject({
  manifest: z.record(z.string(), z.object({ hash: z.string(), size: z.number().int() })),
});

const missing = ({ files }: Account, page: Readonly<Record<string, string>>): readonly string[] => [
  ...new Set(Object.values(page).filter((hash) => !files.has(hash))),
];

/** The files of the page: a session says which ones are missing, and its token then stands for all of them. */
export const assetRoutes: readonly Route[] = [
  {
    method: "POST",
    path: /^\/workers\/scripts\/([^/]+)\/assets-upload-session$/,
    run({ account, body }) {
      const { manifest } = manifestSchema.parse(JSON.parse(body));
      const page = Object.fromEntries(Object.entries(manifest).map(([path, { hash }]) => [path, hash]));
      const jwt = `session-${newId()}`;
      account.sessions.set(jwt, page);
      const wanted = missing(account, page);
      return { result: { jwt, buckets: wanted.length === 0 ? [] : [wanted] } };
    },
  },
  {
    method: "POST",
    path: /^\/workers\/assets\/upload$/,
    async run({ account, form, token }) {
      const page = account.sessions.get(token);
      if (page === undefined) throw new Refused(401, 10_000, "Authentication error");
      for (const [hash, part] of await form()) {
        account.files.set(hash, typeof part === "string" ? part : await part.text());
      }
      const isWhole = missing(account, page).length === 0;
      return { status: isWhole ? 201 : 202, result: { jwt: isWhole ? token : null } };
    },
  },
];
