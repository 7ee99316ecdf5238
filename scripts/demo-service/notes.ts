export interface Note {
  id: number;
  text: string;
}

export interface Notebook {
  add(text: string): Note;
  list(): readonly Note[];
  search(query: string): readonly Note[];
}

const samples = [
  "Water the tomatoes on Tuesday.",
  "Book idea: a lighthouse keeper who collects bookmarks.",
  "Ask Sam for the lemon cake recipe.",
];

function createNotebook(): Notebook {
  const notes: Note[] = [];
  const add = (text: string) => {
    const note = { id: notes.length + 1, text };
    notes.push(note);
    return note;
  };
  for (const sample of samples) add(sample);
  return {
    add,
    list: () => notes,
    search: (query) => notes.filter((note) => note.text.toLowerCase().includes(query.toLowerCase())),
  };
}

/** One notebook per account, in memory, each beginning with the same three notes. */
export function createNotebooks(): (account: string) => Notebook {
  const notebooks = new Map<string, Notebook>();
  return (account) => {
    const notebook = notebooks.get(account) ?? createNotebook();
    notebooks.set(account, notebook);
    return notebook;
  };
}
