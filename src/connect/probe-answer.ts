/**
 * Whether a body holds a JSON-RPC result: as JSON, or as the first data event of an event stream. Reads at most
 * `limit` bytes and cancels the rest; a stream that breaks off holds none.
 */
export async function resultIn(
  body: ReadableStream<Uint8Array>,
  events: boolean,
  limit: number,
): Promise<boolean> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (value !== undefined) text += value;
      const found = events ? isResult(firstData(text, done)) : done && isResult(text);
      if (found) return true;
      if (done || text.length > limit) return false;
    }
  } catch {
    return false;
  } finally {
    // The stream may have failed already; then there is nothing to cancel.
    await Promise.allSettled([reader.cancel()]);
  }
}

/** The data of the first complete event that has any (WHATWG HTML §9.2.6). Events before a result may be pings. */
function firstData(text: string, done: boolean): string {
  const blocks = text.split(/\r\n\r\n|\n\n|\r\r/);
  if (!done) blocks.pop();
  for (const block of blocks) {
    const data = block
      .split(/\r\n|\n|\r/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trimStart())
      .join("\n");
    if (isResult(data)) return data;
  }
  return "";
}

function isResult(text: string): boolean {
  try {
    const message: unknown = JSON.parse(text);
    return (
      typeof message === "object" &&
      message !== null &&
      "jsonrpc" in message &&
      "result" in message &&
      typeof message.result === "object"
    );
  } catch {
    return false;
  }
}
