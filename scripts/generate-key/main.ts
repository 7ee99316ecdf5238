import { readArguments, runCommand } from "../lib/command.ts";
import { fingerprintOfKey, newMasterKey } from "../lib/master-key.ts";

const usage = `
npm run -s generate-key

Prints a new master key for managed storage (64 hexadecimal characters) and its fingerprint, the 16 characters by
which the database and the logs name it. Nothing is stored: keep the key in a password manager or a vault.

A keys file, and the secret MANAGED_ENCRYPTION_KEYS, is a list of such keys, the active one last:

  [{"key":"<64 hexadecimal characters>"}]

To replace the master key of a deployment that runs, use \`npm run rotate-keys\`: it makes the key itself.

Exit codes: 0 done, 2 wrong usage.
`;

await runCommand(usage, () => {
  readArguments({ options: {} });
  const key = newMasterKey();
  console.log(`key          ${key}\nfingerprint  ${fingerprintOfKey(key)}`);
  return Promise.resolve(0);
});
