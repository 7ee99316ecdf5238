import { styleText } from "node:util";

let steps = 0;

export function step(title: string): void {
  steps += 1;
  console.log(`\n${styleText("bold", `${steps}. ${title}`)}`);
}

/** One line of the transcript: a name, and what is so. */
export function show(name: string, value: string): void {
  console.log(`   ${name.padEnd(16)} ${value}`);
}

/** Leaves a few characters of the credential: enough to recognise it, useless to open anything. */
export function maskCredential(text: string, credential: string): string {
  const masked = `${credential.slice(0, 4)}…${credential.slice(-2)}`;
  // The API key ends in a checksum of the credential: not secret by itself, and a stranger's eye takes it for a key.
  return text.replace(new RegExp(`${credential}[0-9A-Za-z]{0,6}`), masked);
}
