import type { EventStore, JSONRPCMessage } from "@modelcontextprotocol/server";

/** Remembers a session's messages so that `Last-Event-ID` resumes a stream. */
export function createEventStore(): EventStore {
  const events: { id: string; stream: string; message: JSONRPCMessage }[] = [];
  return {
    storeEvent: async (stream, message) => {
      const id = `${events.length + 1}_${stream}`;
      events.push({ id, stream, message });
      return id;
    },
    replayEventsAfter: async (last, { send }) => {
      const seen = events.findIndex(({ id }) => id === last);
      const stream = events[seen]?.stream ?? last;
      for (const event of events.slice(seen + 1)) {
        // A stream begins with an empty message whose only use is its id.
        if (event.stream === stream && "jsonrpc" in event.message) await send(event.id, event.message);
      }
      return stream;
    },
  };
}
