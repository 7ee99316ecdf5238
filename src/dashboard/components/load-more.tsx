import { explain, type Failure } from "../api.ts";

interface Props {
  /** Whether there is more. */
  shown: boolean;
  failure: Failure | undefined;
  onMore: () => void;
}

export function LoadMore({ shown, failure, onMore }: Props) {
  if (!shown) return null;
  return (
    <div class="more">
      <p class="field-error" role="alert">
        {failure ? explain(failure) : ""}
      </p>
      <button type="button" class="button" onClick={onMore}>
        Show more
      </button>
    </div>
  );
}
