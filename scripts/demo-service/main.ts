import { startDemoService } from "./demo-service.ts";

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}

const setting = process.env["DEMO_PORT"] || "8788";
const port = Number(setting);
if (!/^\d{1,5}$/.test(setting) || port > 65_535) {
  fail(`DEMO_PORT is "${setting}", which is not a port number between 0 and 65535.`);
}

try {
  const service = await startDemoService({ port });
  const stop = () => {
    service.close().then(
      () => process.exit(0),
      (error: unknown) => fail(`The demo service did not stop cleanly: ${String(error)}`),
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  // A child whose parent vanished must not stay behind.
  process.once("disconnect", stop);
  // Whoever started this process as a child learns the address; on a console nothing is printed.
  process.send?.({ url: service.url });
} catch (error) {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    fail(`Port ${port} is in use by another program: stop it, or set DEMO_PORT to another port.`);
  }
  if (code === "EACCES") fail(`Port ${port} may not be used by this account: set DEMO_PORT to another port.`);
  fail(`The demo service could not start: ${error instanceof Error ? error.message : String(error)}`);
}
