/** A monogram: vendors' logos would be images of other origins, or trademarks in this repository. */
const tones = 6;

export function ServiceMark({ id, name }: { id: string; name: string }) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 997;
  return (
    <span class={`mark mark-${sum % tones}`} aria-hidden="true">
      {name.charAt(0).toUpperCase()}
    </span>
  );
}
