import { Field } from "./field.tsx";

interface Props {
  label?: string;
  help: string;
  optional?: boolean;
  error?: string | undefined;
}

const name = "credential";

/** Where a person shows the credential they hold. It goes into one request, and nowhere else. */
export function PresentField({ label = "Present secret URL or API key", help, optional, error }: Props) {
  return (
    <Field
      name={name}
      label={label}
      help={help}
      secret
      optional={optional ?? false}
      maxLength={300}
      error={error}
    />
  );
}

export function readPresented(data: FormData): string | undefined {
  const value = data.get(name);
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
