import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CopyIcon } from "./icons";

const MESSAGE_MS = 4_000;

/** The id of the call, for a complaint: with it, the operator finds the call's turns in the log. */
export function CallId({ id }: { id: string }) {
  const message = useSignal("");
  useEffect(() => {
    if (!message.value) return;
    const timer = setTimeout(() => {
      message.value = "";
    }, MESSAGE_MS);
    return () => clearTimeout(timer);
  }, [message.value, message]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(id);
      message.value = "Copied";
    } catch {
      // Without https, or refused: the id can be selected.
      message.value = "Select the ID to copy it";
    }
  }

  return (
    <p class="call-id">
      <span class="quiet">Call ID</span> <code data-testid="call-id">{id}</code>
      <button
        type="button"
        class="button"
        data-testid="copy-call-id"
        title="Copy the call ID"
        aria-label="Copy the call ID"
        onClick={copy}
      >
        <CopyIcon />
      </button>
      <span class="quiet" aria-live="polite">
        {message.value}
      </span>
    </p>
  );
}
