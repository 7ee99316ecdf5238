import { Refused } from "./account.ts";
import { pageOf, type Route } from "./route.ts";

/** Who the token belongs to. */
export const userRoutes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/user\/tokens\/verify$/,
    run: ({ account }) => ({ result: { id: account.id, status: "active" } }),
  },
  { method: "GET", path: /^\/user$/, run: () => ({ result: { email: "operator@example.com" } }) },
  {
    method: "GET",
    path: /^\/accounts$/,
    run: ({ account, query }) => pageOf([{ id: account.id, name: "Operator" }], query),
  },
  {
    method: "GET",
    path: /^\/memberships$/,
    run: ({ account, query }) =>
      pageOf([{ id: account.id, account: { id: account.id, name: "Operator" } }], query),
  },
  {
    method: "GET",
    path: /^\/workers\/subdomain$/,
    run({ account: { subdomain } }) {
      if (subdomain === undefined) throw new Refused(404, 10_007, "workers.api.error.no_subdomain");
      return { result: { subdomain } };
    },
  },
];
