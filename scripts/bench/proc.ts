// Reads /proc. Where there is none (macOS), every figure is undefined and the report says so with a dash.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

// The kernel reports CPU time to user space in units of 1/100 s on every architecture Node runs on.
const ticksPerSecond = 100;

function text(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The fields of /proc/<pid>/stat after the command's name, which may hold spaces and brackets itself. */
function stat(pid: number): { name: string; fields: string[] } | undefined {
  const line = text(`/proc/${pid}/stat`);
  if (line === undefined) return undefined;
  const end = line.lastIndexOf(")");
  return { name: line.slice(line.indexOf("(") + 1, end), fields: line.slice(end + 2).split(" ") };
}

/** The processes named `name` that this one started. */
export function childrenNamed(name: string): number[] {
  let entries: string[];
  try {
    entries = readdirSync("/proc");
  } catch {
    return [];
  }
  return entries
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const found = stat(pid);
      return found !== undefined && found.name === name && Number(found.fields[1]) === process.pid;
    });
}

/** CPU seconds used so far, user and system, all threads. */
export function cpuSeconds(pid: number | undefined): number | undefined {
  const fields = pid === undefined ? undefined : stat(pid)?.fields;
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function memory(pid: number | undefined, field: "VmHWM" | "VmRSS"): number | undefined {
  if (pid === undefined) return undefined;
  const kilobytes = text(`/proc/${pid}/status`)?.match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

/** Resident memory now, in MB. */
export const residentMegabytes = (pid: number | undefined): number | undefined => memory(pid, "VmRSS");

/** Highest resident memory since the start or the last `resetPeak`, in MB. */
export const peakMegabytes = (pid: number | undefined): number | undefined => memory(pid, "VmHWM");

/** Lets VmHWM start again from the present; false where the kernel refuses. */
export function resetPeak(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
    return true;
  } catch {
    return false;
  }
}
