/*
 * What an operator's script asks and says through `wrangler d1 execute`: plain text, with nothing bound, because that
 * tool binds nothing. Only fingerprints are written into it, and only after `fingerprintOf` has looked at them.
 */

const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** A deployment that was not heard of for this long, ms, is gone: it reports every minute. */
export const silence = 15 * 60_000;
/** A deployment that reported within this time, ms, is there: two reports may fail. */
export const present = 3 * 60_000;
/** Wrappings that one statement removes, so that a large database is not held up. */
const removedAtOnce = 2000;

/** The fingerprint as it may stand in a statement: 16 lower-case hexadecimal digits. Throws RangeError. */
export function fingerprintOf(text: string): string {
  if (!/^[0-9a-f]{16}$/.test(text)) throw new RangeError("a fingerprint is 16 hexadecimal digits, 0-9 a-f");
  return text;
}

/** `expression` is a comma-joined list of fingerprints. */
function lists(expression: string, fingerprint: string): string {
  return `instr(',' || ${expression} || ',', ',${fingerprintOf(fingerprint)},') > 0`;
}

/** Rows `{fingerprints, active, first_at, last_at, now}`: the sets that deployments have loaded, newest report first. */
export function loadedQuery(): string {
  return `SELECT fingerprints, active, first_at, last_at, ${now} AS now FROM loaded_keys ORDER BY last_at DESC`;
}

/** Rows as of `loadedQuery`: deployments that are there and have this key loaded **and active**. Empty: wait. */
export function readyQuery(fingerprint: string): string {
  return `SELECT fingerprints, active, first_at, last_at, ${now} AS now FROM loaded_keys
WHERE active = '${fingerprintOf(fingerprint)}' AND last_at > ${now} - ${present} ORDER BY last_at DESC`;
}

/**
 * Rows as of `loadedQuery`: sets without this key that were reported in the last 15 minutes. While there is one, a
 * deployment that lacks the key may still serve: nothing that it needs may be removed.
 */
export function laggingQuery(fingerprint: string): string {
  return `SELECT fingerprints, active, first_at, last_at, ${now} AS now FROM loaded_keys
WHERE last_at > ${now} - ${silence} AND NOT (${lists("fingerprints", fingerprint)}) ORDER BY last_at DESC`;
}

/**
 * Asks the workers for a rotation to this key. Asked again while one is under way it only adds the wish to re-encrypt,
 * so an interrupted script asks again. It is two statements.
 */
export function requestStatements(fingerprint: string, reencrypt: boolean): string {
  const target = fingerprintOf(fingerprint);
  const wish = reencrypt ? 1 : 0;
  return `UPDATE rotations SET reencrypt = MAX(reencrypt, ${wish})
WHERE id = (SELECT MAX(id) FROM rotations) AND fingerprint = '${target}' AND finished_at IS NULL;
INSERT INTO rotations (fingerprint, reencrypt, requested_at) SELECT '${target}', ${wish}, ${now}
WHERE NOT EXISTS (SELECT 1 FROM rotations WHERE id = (SELECT MAX(id) FROM rotations)
  AND fingerprint = '${target}' AND finished_at IS NULL);`;
}

/**
 * One row: the newest rotation to this key and its progress. Null in `id` where there is none.
 *
 * `{id, reencrypt, requested_at, rewrapped_at, settled_at, finished_at, unreadable, now,
 *   data_keys, wrapped, replaceable, connections, connections_left, registrations_left}`
 *
 * `wrapped` of `data_keys` have a wrapping under the key. With `reencrypt`: `replaceable` data keys are older than the
 * rotation, and `connections_left` of `connections` and `registrations_left` are sealed under such a one.
 * `unreadable`: what the last pass could not open with any loaded key. The rotation goes `requested_at` →
 * `rewrapped_at` (every data key that opens has its wrapping) → `settled_at` (and no deployment lacks the key any more)
 * → `finished_at` (and, where wanted, everything is re-encrypted).
 */
export function progressQuery(fingerprint: string): string {
  const target = fingerprintOf(fingerprint);
  const older = "k.rotation_id < COALESCE(r.id, 0)";
  return `SELECT r.id, r.reencrypt, r.requested_at, r.rewrapped_at, r.settled_at, r.finished_at, r.unreadable, ${now} AS now,
  (SELECT COUNT(*) FROM data_keys) AS data_keys,
  (SELECT COUNT(*) FROM data_key_wrappings WHERE fingerprint = '${target}') AS wrapped,
  (SELECT COUNT(*) FROM data_keys k WHERE ${older}) AS replaceable,
  (SELECT COUNT(*) FROM connections WHERE data_key_id IS NOT NULL) AS connections,
  (SELECT COUNT(*) FROM data_keys k JOIN connections c ON c.data_key_id = k.id WHERE ${older}) AS connections_left,
  (SELECT COUNT(*) FROM data_keys k JOIN client_registrations c ON c.data_key_id = k.id WHERE ${older}) AS registrations_left
FROM (SELECT 1) LEFT JOIN rotations r ON r.id = (SELECT MAX(id) FROM rotations WHERE fingerprint = '${target}')`;
}

/** A data key that has a wrapping under the fingerprint, and none under another key that some deployment uses now. */
function onlyUnder(fingerprint: string): string {
  return `w.fingerprint = '${fingerprintOf(fingerprint)}' AND NOT EXISTS (${otherWrapping(fingerprint)})`;
}

function otherWrapping(fingerprint: string): string {
  return `SELECT 1 FROM data_key_wrappings o WHERE o.data_key_id = w.data_key_id
    AND o.fingerprint != '${fingerprintOf(fingerprint)}'
    AND o.fingerprint IN (SELECT active FROM loaded_keys WHERE last_at > ${now} - ${silence})`;
}

/**
 * One row `{wrappings, data_keys, connections, client_registrations, flows}`. `wrappings`: all that are under this key.
 * The others count what **only** this key opens, as far as the deployments that are there can tell: it must not be
 * removed while one of them is not 0.
 */
export function referencesQuery(fingerprint: string): string {
  const from = (table: string): string =>
    `(SELECT COUNT(*) FROM data_key_wrappings w JOIN ${table} x ON x.data_key_id = w.data_key_id
    WHERE ${onlyUnder(fingerprint)})`;
  return `SELECT (SELECT COUNT(*) FROM data_key_wrappings WHERE fingerprint = '${fingerprintOf(fingerprint)}') AS wrappings,
  (SELECT COUNT(*) FROM data_key_wrappings w WHERE ${onlyUnder(fingerprint)}) AS data_keys,
  ${from("connections")} AS connections,
  ${from("client_registrations")} AS client_registrations,
  ${from("flows")} AS flows`;
}

/**
 * Removes up to 2,000 wrappings under this key, but none of a data key that nothing else opens: run it until
 * `referencesQuery` answers no more `wrappings` than it has `data_keys`.
 */
export function removeWrappingsStatement(fingerprint: string): string {
  const target = fingerprintOf(fingerprint);
  return `DELETE FROM data_key_wrappings WHERE fingerprint = '${target}' AND data_key_id IN (
  SELECT w.data_key_id FROM data_key_wrappings w WHERE w.fingerprint = '${target}' AND EXISTS (${otherWrapping(target)})
  LIMIT ${removedAtOnce})`;
}

/**
 * For a master key that is lost for good: lets go of what no deployment can open any more, so that people can connect
 * again. Without it they cannot, because nothing is sealed under a second data key beside one that may come back. It
 * changes nothing while a deployment has the key loaded, or while none reports. Four statements; afterwards the
 * connections ask for a new sign-in, and registrations are made anew.
 */
export function abandonStatements(fingerprint: string): string {
  const lost = `SELECT w.data_key_id FROM data_key_wrappings w WHERE w.fingerprint = '${fingerprintOf(fingerprint)}'
  AND EXISTS (SELECT 1 FROM loaded_keys WHERE last_at > ${now} - ${present})
  AND NOT EXISTS (SELECT 1 FROM data_key_wrappings o JOIN loaded_keys l ON l.last_at > ${now} - ${silence}
    AND instr(',' || l.fingerprints || ',', ',' || o.fingerprint || ',') > 0 WHERE o.data_key_id = w.data_key_id)`;
  return `DELETE FROM flows WHERE data_key_id IN (${lost});
DELETE FROM client_registrations WHERE data_key_id IN (${lost});
UPDATE connections SET data_key_id = NULL, blob = NULL, fence = fence + 1, due_at = NULL,
  state = CASE WHEN status = 'disconnected' THEN state ELSE 'reauth' END,
  reauth_since = CASE WHEN status = 'disconnected' THEN reauth_since ELSE COALESCE(reauth_since, ${now}) END
WHERE data_key_id IN (${lost});
DELETE FROM data_keys WHERE id IN (${lost});`;
}
