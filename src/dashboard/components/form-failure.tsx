import { explain, type Failure } from "../api.ts";
import { Notice } from "./notice.tsx";
import { PlanLink } from "./plan-link.tsx";

interface Props {
  title: string;
  failure: Failure;
  /** Paths whose error already stands beside an input. */
  besideInputs: readonly string[];
  /** What a person should know when no answer came, so that nobody can tell whether it happened. */
  whenUnknown: string;
}

export function FormFailure({ title, failure, besideInputs, whenUnknown }: Props) {
  const errors = failure.kind === "problem" ? [...failure.errors] : [];
  const marked = failure.kind === "problem" && failure.code === "invalid_request" && errors.length > 0;
  const elsewhere = errors.filter(([path]) => !besideInputs.includes(path));
  return (
    <div class="form-failure" tabIndex={-1}>
      <Notice tone="bad" title={title}>
        {marked ? <p>Correct what is marked here, then try again.</p> : <p>{explain(failure)}</p>}
        {elsewhere.length > 0 ? (
          <ul>
            {elsewhere.map(([path, message]) => (
              <li key={path}>{`${path}: ${message}`}</li>
            ))}
          </ul>
        ) : null}
        <PlanLink failure={failure} />
        {failure.kind === "problem" ? null : <p>{whenUnknown}</p>}
      </Notice>
    </div>
  );
}
