import { dateWords, fullTime, timeAgo } from "../format.ts";

/** How long ago, or the day that is to come, with the time itself for whoever wants it. */
export function When({ iso }: { iso: string | null | undefined }) {
  if (!iso || Number.isNaN(Date.parse(iso))) return <>Never</>;
  return (
    <time dateTime={iso} title={fullTime(iso)}>
      {Date.parse(iso) > Date.now() ? dateWords(iso) : timeAgo(iso)}
    </time>
  );
}
