import { useEffect, useRef, useState } from "hono/jsx/dom";
import { api } from "../api.ts";
import { Choice } from "../components/choice.tsx";
import { ExternalLink } from "../components/external-link.tsx";
import { Field } from "../components/field.tsx";
import { FormFailure } from "../components/form-failure.tsx";
import { KeyGuide } from "../components/key-guide.tsx";
import { Notice } from "../components/notice.tsx";
import { ServiceMark } from "../components/service-mark.tsx";
import { StorageChoice } from "../components/storage-choice.tsx";
import { obstacle } from "../format.ts";
import type { Connected, Service, StorageMode } from "../schemas.ts";
import { useApp } from "../state/app-context.ts";
import { inputNames, readConnectForm } from "../state/connect-form.ts";
import { hrefs, useViewHeading } from "../state/route.ts";
import { useAction } from "../state/use-action.ts";

interface Props {
  service: Service;
  modes: StorageMode[];
  onConnected: (connected: Connected) => void;
}

export function Connect({ service, modes, onConnected }: Props) {
  const { brand } = useApp();
  const title = service.url_required ? "Connect any MCP server" : `Connect ${service.name}`;
  const heading = useViewHeading(title, brand);
  const reason = obstacle(service);
  return (
    <div class="narrow">
      <a class="back" href={hrefs.gallery}>
        All services
      </a>
      <div class="connect-head">
        <ServiceMark id={service.id} name={service.name} />
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          <p class="lead">
            {service.description} <ExternalLink url={service.docs_url}>Documentation</ExternalLink>
          </p>
        </div>
      </div>
      {service.warnings.map((warning) => (
        <Notice key={warning} tone="warn">
          <p>{warning}</p>
        </Notice>
      ))}
      {reason === undefined ? (
        <KeyForm service={service} modes={modes} onConnected={onConnected} />
      ) : (
        <Notice tone="warn">
          <p>{reason}</p>
        </Notice>
      )}
    </div>
  );
}

function KeyForm({ service, modes, onConnected }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [modeId, setModeId] = useState(service.key_modes[0]?.id ?? "");
  const { busy, failure, run } = useAction(api.connect, onConnected);
  const mode = service.key_modes.find((each) => each.id === modeId);
  const errors = failure?.kind === "problem" ? failure.errors : new Map<string, string>();

  // After a refusal the focus goes to the first input at fault: by keyboard or reader that is where one goes on.
  useEffect(() => {
    if (failure === undefined) return;
    const invalid = form.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    invalid?.closest("details")?.setAttribute("open", "");
    const target = invalid ?? form.current?.querySelector<HTMLElement>(".form-failure");
    target?.focus({ preventScroll: true });
    // In the middle, so that neither its label nor what is said about it is off the screen.
    target?.scrollIntoView({ block: "center" });
  }, [failure]);

  if (mode === undefined) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    if (form.current) run(readConnectForm(new FormData(form.current), service, mode));
  };
  return (
    <form ref={form} class="panel" autocomplete="off" aria-busy={busy ? "true" : "false"} onSubmit={submit}>
      {service.key_modes.length > 1 ? (
        <Choice
          name="mode"
          legend="Kind of key"
          selected={modeId}
          onSelect={setModeId}
          options={service.key_modes.map((each) => ({ value: each.id, title: each.label }))}
        />
      ) : null}
      <KeyGuide mode={mode} service={service} />
      {service.url_required ? (
        <Field
          name="url"
          label="MCP server URL"
          type="url"
          placeholder="https://mcp.example.com/mcp"
          error={errors.get("url")}
        />
      ) : null}
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
      <Field
        name="label"
        label="Label"
        optional
        maxLength={100}
        placeholder="Work, personal …"
        help="Only you see it, in your list of connections."
        error={errors.get("label")}
      />
      <StorageChoice modes={modes} />
      {mode.header_choice ? (
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
      ) : null}
      <div role="alert">
        {failure ? (
          <FormFailure
            title="Not connected"
            failure={failure}
            besideInputs={inputNames(service, mode)}
            whenUnknown="If a new connection shows in your list all the same, its credential is lost: disconnect it and try again."
          />
        ) : null}
      </div>
      <div class="actions">
        <button type="submit" class="button button-primary" aria-disabled={busy ? "true" : "false"}>
          {busy ? "Checking the key …" : "Check the key and connect"}
        </button>
        <a class="button button-quiet" href={hrefs.gallery}>
          Cancel
        </a>
      </div>
    </form>
  );
}
