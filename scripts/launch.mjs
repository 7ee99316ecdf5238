// Entry of every `npm run` command: plain JavaScript, so that the Node 20 of a bare machine can run it. It installs
// what is missing and goes on with the packaged Node, which runs the TypeScript of `scripts/NAME/main.ts` as it is.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const marker = join(root, "node_modules", ".bindify-installed");
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The process that signals are handed on to. */
let child;

for (const signal of Object.keys(signalNumbers)) {
  process.on(signal, () => {
    if (child === undefined) process.exit(128 + signalNumbers[signal]);
    child.kill(signal);
  });
}
stopWithNpm();

const [name, ...args] = process.argv.slice(2);
process.exitCode = await main().catch((error) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});

async function main() {
  const names = readdirSync(join(root, "scripts")).filter((entry) =>
    existsSync(join(root, "scripts", entry, "main.ts")),
  );
  if (name === undefined || !names.includes(name)) {
    throw new Error(`Usage: node scripts/launch.mjs NAME [arguments]\nNAME is one of: ${names.join(", ")}.`);
  }
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new Error(`Bindify needs Node 20 or later; this is Node ${process.versions.node}.`);
  }
  await install();
  const own = process.platform !== "win32";
  const running = run(
    findNode(),
    ["--disable-warning=ExperimentalWarning", `scripts/${name}/main.ts`, ...args],
    {
      stdio: "inherit",
      // A process group of its own: Ctrl-C reaches it once, from here, and what it leaves behind can be ended.
      detached: own,
    },
  );
  const group = child.pid;
  const code = await running;
  if (own && group !== undefined) endGroup(group);
  return code;
}

/** Installs the dependencies unless node_modules was installed from this very package-lock.json. */
async function install() {
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  // On standard error: the output of a command may be meant for another program.
  console.error("Installing dependencies (first run takes a minute)…");
  const npm = findNpm();
  await npmInstall(npm);
  if (!hasRuntime()) {
    // What the lockfile does not name for this system, npm 10 leaves out; npm 11 adds it.
    console.error("Installing what this system needs besides …");
    await npmInstall([...npm, "exec", "--yes", "--", "npm@11.19.1"]);
  }
  if (!hasRuntime()) {
    throw new Error(
      `There is no Workers runtime for ${process.platform} on ${process.arch}: the package workerd knows Linux with ` +
        "glibc, macOS and Windows, each on x64, the first two on arm64 too.",
    );
  }
  writeFileSync(marker, wanted);
}

async function npmInstall([command, ...before]) {
  const output = [];
  const code = await run(
    command,
    [...before, "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"],
    { stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" && command === "npm" },
    (chunk) => output.push(chunk),
  );
  if (code >= 128) process.exit(code);
  if (code !== 0) {
    process.stderr.write(Buffer.concat(output));
    throw new Error(
      "The dependencies could not be installed. Check the network connection and that the npm registry can be " +
        "reached (`npm ping`), then run the command again.",
    );
  }
}

/** Whether workerd's package for this system is there; it stands for all that come in one package for each system. */
function hasRuntime() {
  const modules = join(root, "node_modules");
  const { optionalDependencies } = JSON.parse(readFileSync(join(modules, "workerd", "package.json"), "utf8"));
  return Object.keys(optionalDependencies).some((system) => existsSync(join(modules, system)));
}

/** The npm that runs us, so that its settings and version apply; else the one in PATH. */
function findNpm() {
  const running = process.env.npm_execpath;
  if (running !== undefined && basename(running) === "npm-cli.js" && existsSync(running)) {
    return [process.execPath, running];
  }
  return ["npm"];
}

function findNode() {
  const packaged = join(
    root,
    "node_modules",
    "node",
    "bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  if (existsSync(packaged)) return packaged;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  throw new Error(
    "The Node that Bindify brings along is missing: its install script did not run. Run `npm rebuild node`, or use " +
      "Node 24.",
  );
}

/** Runs a program to its end and answers its exit code, 128 + n where signal n ended it. */
function run(command, commandArgs, options, onOutput) {
  return new Promise((resolve, reject) => {
    child = spawn(command, commandArgs, { cwd: root, ...options });
    if (onOutput !== undefined) {
      child.stdout.on("data", onOutput);
      child.stderr.on("data", onOutput);
    }
    child.on("error", (error) =>
      reject(new Error(`${basename(command)} could not be started: ${error.message}`)),
    );
    child.on("close", (code, signal) => {
      child = undefined;
      resolve(code ?? 128 + (signalNumbers[signal] ?? 9));
    });
  });
}

/** Ends what a command that died left running, such as the worker's runtime. */
function endGroup(group) {
  try {
    process.kill(-group, "SIGKILL");
  } catch (error) {
    // ESRCH, as it should be: nobody is left. macOS says EPERM for a group that is about to end.
    if (error.code !== "ESRCH" && error.code !== "EPERM") throw error;
  }
}

/**
 * npm, and the shell it starts us with, can be ended without handing the signal on. Started by npm we stop with our
 * parent, so that nothing is left running.
 */
function stopWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    if (child === undefined) process.exit(143);
    child.kill("SIGTERM");
  }, 500);
  timer.unref();
}
