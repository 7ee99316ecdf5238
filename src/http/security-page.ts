import { html } from "hono/html";
import { page } from "./page.ts";

/** What is promised, in the words that `.github/SECURITY.md` uses for the repository. */
export async function securityPage(site: {
  readonly brand: string;
  readonly supportUrl: string | undefined;
}): Promise<Response> {
  const { brand, supportUrl } = site;
  const body = html`<h1>Security of ${brand}</h1>
    <h2>What is promised</h2>
    <ol>
      <li>
        <strong>Zero-knowledge at rest, by default.</strong> The database, the blob storage and every secret
        of this deployment together open no grant that you hold yourself.
      </li>
      <li>
        <strong>512 bits.</strong> 32 random bytes identify a connection and 32 more decrypt it. Both are
        needed in either storage mode. They are shown once and never stored.
      </li>
      <li>
        <strong>No payload is parsed, logged or stored.</strong> What your client and a service say to each
        other passes untouched.
      </li>
      <li>
        <strong>A disconnected connection is dead when the answer comes.</strong> The service is asked to
        revoke its access too, as soon as somebody who can open the grant is there, and what came of it is on
        record.
      </li>
      <li><strong>An unknown key is a failure</strong>, never a reason to try another.</li>
      <li><strong>What happened is on record</strong>: an audit log that you can read, export and verify.</li>
    </ol>
    <h2>The mathematics</h2>
    <p>
      The first half has 2<sup>256</sup> values. Somebody who tries a million million of them a second,
      against a deployment with a million million connections, finds one after about 10<sup>45</sup> years on
      average. The database holds only a SHA-256 of that half, and of the second half a value derived with
      HKDF-SHA256: neither can be turned back. The grant is sealed with AES-256-GCM under a key derived from
      the second half, bound to the connection, its owner, its service, its storage mode and its generation:
      copied elsewhere it does not open. A guessed first half without the second opens nothing, and a wrong
      second half is refused before anything is decrypted. Quantum search would halve the exponent of a search
      for one half, and leave 2<sup>128</sup> steps.
    </p>
    <h2>The two ways to store</h2>
    <table>
      <thead>
        <tr>
          <th scope="col"></th>
          <th scope="col">User-held (default)</th>
          <th scope="col">Managed</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">Opened by</th>
          <td>your credential alone</td>
          <td>your credential's use, or the deployment's master key</td>
        </tr>
        <tr>
          <th scope="row">A stolen database and all secrets</th>
          <td>opens nothing</td>
          <td>opens the grants</td>
        </tr>
        <tr>
          <th scope="row">A stolen database without the master key</th>
          <td>opens nothing</td>
          <td>opens nothing</td>
        </tr>
        <tr>
          <th scope="row">Renewed in the background</th>
          <td>no, only when it is used</td>
          <td>yes</td>
        </tr>
        <tr>
          <th scope="row">Revoked at the service by itself</th>
          <td>when the credential is there</td>
          <td>at once</td>
        </tr>
        <tr>
          <th scope="row">A lost credential</th>
          <td>sign in again</td>
          <td>make a new one</td>
        </tr>
      </tbody>
    </table>
    <h2>What is not protected</h2>
    <ul>
      <li>
        <strong>In transit the worker sees your credential</strong>, and with it the grant: each request
        carries it. An operator who changes the running code could record it. Zero-knowledge holds at rest.
      </li>
      <li>
        <strong>A secret address is a key.</strong> Whoever has it can use the connection until you replace or
        disconnect it. Prefer the header form: addresses end up in more logs.
      </li>
      <li>
        <strong>What a service does</strong> with the access you gave it, and what an AI client does with what
        it reads.
      </li>
      <li>
        <strong>Metadata.</strong> The database knows which services you connected, when you used them and how
        often.
      </li>
      <li>
        <strong>The audit log against its operator.</strong> Its chain shows a changed or missing event.
        Somebody who may rewrite the whole database can rewrite the whole chain: export the log and keep the
        last hash, then every later change to what came before shows.
      </li>
      <li>
        <strong>Deleted rows</strong> stay in the platform's own recovery history for up to 30 days: grants
        sealed as they were; your email address, labels and the audit log as they were written.
      </li>
    </ul>
    <h2>How to report a vulnerability</h2>
    <p>
      ${
        supportUrl === undefined
          ? "Write to the operator of this deployment"
          : html`Write to <a href="${supportUrl}">the operator of this deployment</a>`
      };
      for the software itself, open a private security advisory in its repository. Say what you did and what
      you saw; a working example helps. You get an answer within three working days. We ask for
      <strong>30 days</strong> before you publish, and fix what is serious sooner.
    </p>
    <p>
      <strong>Safe harbour.</strong> Nobody takes legal action against research in good faith: use accounts of
      your own, stop when you see other people's data and say so, keep services running, and give us the 30
      days.
    </p>
    <p><a href="/docs">The API</a> · <a href="/">${brand}</a></p>`;
  return await page(`Security of ${brand}`, body);
}
