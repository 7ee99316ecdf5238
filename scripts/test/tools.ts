import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

interface Tool {
  /** The variable through which tests learn its path. */
  readonly variable: string;
  readonly names: readonly string[];
  readonly sentence: string;
}

const tools: readonly Tool[] = [
  {
    variable: "CHROMIUM_PATH",
    names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    sentence:
      "No browser was found, so the tests of the page were skipped. `apt-get install chromium` installs one on " +
      "Debian; CHROMIUM_PATH names any other Chromium or Chrome.",
  },
  {
    variable: "WRK_PATH",
    names: ["wrk"],
    sentence:
      "wrk was not found, so the tests of the benchmark were skipped. `apt-get install wrk` installs it on Debian.",
  },
];

/** Sets each tool's variable where it is found; answers a sentence for each that is missing. */
export function findTools(): readonly string[] {
  return tools.flatMap(({ variable, names, sentence }) => {
    const given = process.env[variable];
    const found = given ? executable(given) && given : inPath(names);
    if (found) {
      process.env[variable] = found;
      return [];
    }
    delete process.env[variable];
    return given ? [`${variable}=${given} is not a program. ${sentence}`] : [sentence];
  });
}

function inPath(names: readonly string[]): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin"].filter(
    (folder) => folder !== "",
  );
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
