import { makeAddress } from "../addresses.ts";
import { anyHeld, rpc, rpcHeaders, Unproven, type Operation } from "./operation.ts";

const paths = [
  "/.env",
  "/.git/config",
  "/wp-login.php",
  "/phpmyadmin/index.php",
  "/backup.sql",
  "/actuator/env",
  "/cgi-bin/x.cgi",
  "/a/../../etc/passwd",
] as const;

export const scanning: Operation = {
  name: "scanners, until they are blocked",
  weight: 2,
  run: async (world, dice) => {
    const address = makeAddress(dice, world.secrets);
    const headers = { "cf-connecting-ip": address };
    const { secretUrl, apiKey } = anyHeld(world, dice)?.credential ?? {
      secretUrl: "",
      apiKey: dice.text(40),
    };
    let isBlocked = false;
    for (let tries = 0; tries < 40 && !isBlocked; tries += 1) {
      const path = `${dice.pick(paths)}?key=${encodeURIComponent(apiKey)}`;
      const scanned = await world.ask("a scanner's request", world.instance.url + path, { headers });
      const guess = `bnd_test_${dice.text(92)}`;
      const bearer = { ...rpcHeaders, ...headers, authorization: `Bearer ${guess}` };
      const url = `${world.instance.url}/mcp/custom`;
      const guessed = await world.ask("a guess", url, { method: "POST", headers: bearer, body: rpc });
      isBlocked = [scanned, guessed].some(({ status }) => status === 429);
    }
    if (!isBlocked) throw new Unproven("a scanner was not blocked");
    const more = { method: "POST", headers: { ...rpcHeaders, ...headers }, body: rpc };
    // A mistyped address by the same client has to wait; a valid one is let in.
    if (secretUrl !== "") await world.ask("a call of who is blocked", `${secretUrl.slice(0, -3)}AAA`, more);
    await world.ask("a sign-in token of who is blocked", `${world.instance.url}/api/connections`, {
      headers: { ...headers, authorization: `Bearer bnt_test_${dice.text(43)}` },
    });
  },
};
