import type { OwnClient, Service } from "../schemas.ts";
import { useApp } from "../state/app-context.ts";
import { CopyButton } from "./copy-button.tsx";
import { ExternalLink } from "./external-link.tsx";
import { Field } from "./field.tsx";
import { Lines } from "./guide.tsx";

interface Props {
  service: Service;
  errors: ReadonlyMap<string, string>;
}

/** The fields for an app of the person's own: in front where there is no other way, else behind a summary. */
export function OwnClientFields({ service, errors }: Props) {
  const own = service.own_client;
  if (!own) return null;
  if (own.required) {
    return (
      <section class="own-client">
        <h2>{service.url_required ? "Your own app" : `Your own app at ${service.name}`}</h2>
        <Inner own={own} service={service} errors={errors} />
      </section>
    );
  }
  return (
    <details class="advanced">
      <summary>Advanced: sign in through an app of your own</summary>
      <div class="own-client">
        <Inner own={own} service={service} errors={errors} />
      </div>
    </details>
  );
}

function Inner({ own, service, errors }: Props & { own: OwnClient }) {
  const { announce, callbackUrl } = useApp();
  return (
    <>
      <Lines of={own.instructions} as={own.instructions.length > 1 ? "ol" : "ul"} />
      <ExternalLink url={own.create_url} class="button">{`Create an app at ${service.name}`}</ExternalLink>
      <div class="address">
        <p class="hint">Callback address that the app has to allow</p>
        <div class="command">
          <code translate="no">{callbackUrl}</code>
          <CopyButton what="the callback address" text={callbackUrl} announce={announce} />
        </div>
      </div>
      <div class="pair">
        <Field name="client.id" label="Client id" optional={!own.required} error={errors.get("client.id")} />
        <Field
          name="client.secret"
          label="Client secret"
          secret
          optional={!own.required || own.secret === "optional"}
          error={errors.get("client.secret")}
        />
      </div>
    </>
  );
}
