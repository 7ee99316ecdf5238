/** Row b+: the pass-through with the one D1 read that any proxy with revocable credentials has to make. */
export default {
  async fetch(
    request: Request,
    env: { readonly UPSTREAM: string; readonly DB: D1Database },
  ): Promise<Response> {
    const row = await env.DB.prepare("SELECT url, blob FROM bench WHERE id = ?1")
      .bind("connection")
      .first<{ url: string; blob: string }>();
    if (row === null) return new Response("no such connection", { status: 404 });
    return fetch(row.url, request);
  },
};
