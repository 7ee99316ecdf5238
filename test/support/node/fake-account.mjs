// Stands in for wrangler: writes down how it was called, and keeps an account in a file. FAKE_WRANGLER names the folder.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isatty } from "node:tty";

const folder = process.env.FAKE_WRANGLER;
const state = join(folder, "account.json");
const account = existsSync(state)
  ? JSON.parse(readFileSync(state, "utf8"))
  : { signedIn: false, databases: [], namespaces: [], secrets: [], deployments: 0 };
const args = process.argv.slice(2);
const input = isatty(0) || args[0] === "login" ? "" : readFileSync(0, "utf8");
const page = process.env.PAGE_CONFIG;
appendFileSync(join(folder, "calls"), `${JSON.stringify({ args, input, page })}\n`);

if (args.includes("--dry-run")) {
  const outdir = args[args.indexOf("--outdir") + 1];
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, "worker.js"), "export default {};");
  process.exit(0);
}

const [first, second, third] = args;
const command = [first, second, third].filter((part) => part && !part.startsWith("-")).join(" ");
/** Whether the file of this name says that this command is meant. */
const isMeant = (file) =>
  existsSync(join(folder, file)) && command.startsWith(readFileSync(join(folder, file), "utf8"));
if (isMeant("broken")) {
  console.error("✘ [ERROR] The network is down.");
  process.exit(1);
}

if (isMeant("hanging")) {
  process.once("SIGINT", () => {
    writeFileSync(join(folder, "hangs"), "interrupted");
    process.exit(130);
  });
  writeFileSync(join(folder, "hangs"), "it hangs");
  setTimeout(() => {}, 60_000);
} else if (first === "whoami") process.exitCode = account.signedIn ? 0 : 1;
else if (first === "login") account.signedIn = true;
else if (command === "d1 list") console.log(JSON.stringify(account.databases));
else if (command.startsWith("d1 create")) account.databases.push({ uuid: "db-uuid-1", name: third });
else if (command === "kv namespace list") console.log(JSON.stringify(account.namespaces));
else if (command.startsWith("kv namespace create"))
  account.namespaces.push({ id: "kv-id-1", title: args[3] });
else if (command === "secret list") console.log(JSON.stringify(account.secrets));
else if (command.startsWith("secret put")) account.secrets.push({ name: third, type: "secret_text" });
else if (command === "deployments list") {
  if (account.deployments > 0) console.log("[]");
  else {
    console.error("✘ [ERROR] This Worker does not exist on your account. [code: 10007]");
    process.exitCode = 1;
  }
} else if (first === "deploy") account.deployments += 1;
else if (command !== "d1 migrations apply") process.exitCode = 2;
writeFileSync(state, JSON.stringify(account));
