/** Row b: the least a worker on this runtime can do for a proxied request. */
export default {
  fetch(request: Request, env: { readonly UPSTREAM: string }): Promise<Response> {
    return fetch(env.UPSTREAM, request);
  },
};
