export interface SseEvent {
  readonly id: string | undefined;
  readonly data: string;
}

export interface SseReader {
  /** The next event that has data; undefined at the end of the stream. */
  next(): Promise<SseEvent | undefined>;
  cancel(): Promise<void>;
}

/** Reads an event stream event by event. */
export function readEvents(response: Response): SseReader {
  if (response.body === null) throw new Error(`no stream: ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async next() {
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end >= 0) {
          const lines = text.slice(0, end).split("\n");
          text = text.slice(end + 2);
          const id = lines.find((line) => line.startsWith("id: "))?.slice(4);
          const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
          if (data.length > 0) return { id, data: data.join("\n") };
          continue;
        }
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += value.replaceAll("\r\n", "\n");
      }
    },
    cancel: () => reader.cancel(),
  };
}
