import { z } from "zod";

const advisorySchema = z.looseObject({
  /** Its page; the last part is the GitHub advisory's id. */
  url: z.string(),
  title: z.string(),
  severity: z.string(),
});

/** What `npm audit --json` prints: a report, or why there is none. */
export const auditSchema = z.looseObject({
  auditReportVersion: z.literal(2),
  vulnerabilities: z.record(
    z.string(),
    z.looseObject({ via: z.array(z.union([z.string(), advisorySchema])), range: z.string() }),
  ),
});

export const excusesSchema = z.array(
  z.strictObject({
    /** GHSA-… */
    advisory: z.string().regex(/^GHSA(?:-[0-9a-z]{4}){3}$/),
    package: z.string(),
    /** Why it does not matter here. */
    reason: z.string().min(20),
    /** After this day the excuse counts no more: look again. */
    expires: z.iso.date(),
  }),
);

export type Audit = z.output<typeof auditSchema>;
export type Excuse = z.output<typeof excusesSchema>[number];

interface Found {
  readonly package: string;
  readonly advisory: string;
  readonly sentence: string;
}

function findingsOf({ vulnerabilities }: Audit): readonly Found[] {
  return Object.entries(vulnerabilities).flatMap(([name, { via }]) =>
    via.flatMap((cause) => {
      // A name is another entry of this report.
      if (typeof cause === "string") return [];
      const advisory = cause.url.slice(cause.url.lastIndexOf("/") + 1);
      return [
        { package: name, advisory, sentence: `${name}: ${cause.severity}, ${cause.title} (${advisory})` },
      ];
    }),
  );
}

/** Advisories that nobody excused, excuses that have expired, and excuses that excuse nothing; a sentence each. */
export function auditProblems(audit: Audit, excuses: readonly Excuse[], today: string): readonly string[] {
  const found = findingsOf(audit);
  const covers = (excuse: Excuse, one: Found): boolean =>
    excuse.advisory === one.advisory && excuse.package === one.package;
  return [
    ...found
      .filter((one) => !excuses.some((excuse) => covers(excuse, one)))
      .map(({ sentence }) => `${sentence}: update it, or excuse it in audit-excuses.json`),
    ...excuses
      .filter(({ expires }) => expires < today)
      .map(({ advisory, expires }) => `The excuse of ${advisory} expired on ${expires}: look at it again`),
    ...excuses
      .filter((excuse) => !found.some((one) => covers(excuse, one)))
      .map(({ advisory }) => `${advisory} is excused and not found any more: remove the excuse`),
  ];
}
