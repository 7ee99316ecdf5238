import type { KeyMode, Service } from "../schemas.ts";
import { Choice } from "./choice.tsx";
import { Field } from "./field.tsx";

interface Props {
  mode: KeyMode;
  errors: ReadonlyMap<string, string>;
}

interface ChoiceProps {
  service: Service;
  selected: string;
  onSelect: (id: string) => void;
}

export function KeyModeChoice({ service, selected, onSelect }: ChoiceProps) {
  if (service.key_modes.length < 2) return null;
  return (
    <Choice
      name="mode"
      legend="Kind of key"
      selected={selected}
      onSelect={onSelect}
      options={service.key_modes.map((each) => ({ value: each.id, title: each.label }))}
    />
  );
}

export function KeyFields({ mode, errors }: Props) {
  return (
    <>
      {mode.fields.map((field) => (
        <Field
          key={`${mode.id}.${field.name}`}
          name={`fields.${field.name}`}
          label={field.label}
          help={field.help}
          placeholder={field.placeholder}
          secret={field.secret}
          error={errors.get(`fields.${field.name}`)}
        />
      ))}
    </>
  );
}

export function HeaderFields({ mode, errors }: Props) {
  if (!mode.header_choice) return null;
  return (
    <details class="advanced">
      <summary>Advanced: how the key is sent</summary>
      <p class="hint">Without these, the key is sent as “Authorization: Bearer” followed by the key.</p>
      <div class="pair">
        <Field
          name="header.name"
          label="Header name"
          optional
          placeholder="X-API-Key"
          error={errors.get("header.name")}
        />
        <Field
          name="header.prefix"
          label="Prefix before the key"
          optional
          placeholder="Token"
          error={errors.get("header.prefix")}
        />
      </div>
    </details>
  );
}
