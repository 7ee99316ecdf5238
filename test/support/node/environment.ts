/**
 * This process's environment for a program that a test starts: without what npm and vitest add (`npm_…` would make a
 * command watch a parent that is not npm), nor what changes what Node prints.
 */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([key]) => !/^(npm_|VITEST|NODE_OPTIONS|BINDIFY)/.test(key));
  return { ...Object.fromEntries(own), NO_COLOR: "1", FORCE_COLOR: undefined };
}
