const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it stands in HTML, also within a quoted attribute: what a person writes must not become markup. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (found) => entities[found] ?? "");
}
