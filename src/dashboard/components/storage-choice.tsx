import type { StorageMode } from "../schemas.ts";
import { Choice } from "./choice.tsx";
import { useState } from "../state/use-state.ts";

const meanings: Record<StorageMode, { title: string; text: string }> = {
  zero_knowledge: {
    title: "Only you can open it",
    text: "What is stored is sealed with your credential. Nobody else can open it at rest, the operator included. If you lose the credential, connect again.",
  },
  managed: {
    title: "Managed by this deployment",
    text: "This deployment can open it too: it keeps the connection fresh in the background and can give you a new credential.",
  },
};

interface Props {
  modes: StorageMode[];
  initial?: string;
  onSelect?: (mode: string) => void;
}

export function StorageChoice({ modes, initial, onSelect }: Props) {
  const [selected, setSelected] = useState<string>(initial ?? modes[0] ?? "zero_knowledge");
  if (modes.length < 2) return null;
  return (
    <Choice
      name="storage"
      legend="Who can open what is stored"
      selected={selected}
      onSelect={(mode) => {
        setSelected(mode);
        onSelect?.(mode);
      }}
      options={modes.map((mode) => ({ value: mode, ...meanings[mode] }))}
    />
  );
}
