import { readArguments, runCommand } from "../lib/command.ts";
import { requireInstance } from "../lib/instance.ts";
import { signInLink, signLocalToken } from "../lib/local-token.ts";

const usage = `
npm run -s token [-- --user NAME] [--link]

Prints a bearer token for the JSON API of the local Bindify (\`npm start\` must be running); it lasts 12 hours.

  --user NAME   whose token; default "owner". A new name is a new user.
  --link        print a link that signs in to the page instead

Example:  curl -H "Authorization: Bearer $(npm run -s token)" http://127.0.0.1:8787/api/me
`;

await runCommand(usage, async () => {
  const { values } = readArguments({
    options: { user: { type: "string", default: "owner" }, link: { type: "boolean", default: false } },
  });
  const instance = await requireInstance();
  const token = await signLocalToken(instance, values.user);
  console.log(values.link ? signInLink(instance, token) : token);
  return 0;
});
