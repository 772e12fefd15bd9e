import type { Call } from "../call";
import { SaveIcon } from "./icons";

/** Buttons that save the turns and the recording. */
export function Exports({ call }: { call: Call }) {
  const started = call.startedAt.value;
  const name = `call-${started ? new Date(started).toISOString().slice(0, 19).replaceAll(":", "-") : "none"}`;
  return (
    <div class="exports">
      <div class="buttons">
        <button
          type="button"
          class="button"
          data-testid="export-json"
          disabled={!call.turns.value.length}
          onClick={() =>
            save(new Blob([JSON.stringify(call.summary(), null, 2)], { type: "application/json" }), `${name}.json`)
          }
        >
          <SaveIcon />
          Turns (JSON)
        </button>
        <button
          type="button"
          class="button"
          data-testid="export-wav"
          disabled={!call.isRecorded.value || started === null}
          onClick={() => {
            const recording = call.recording();
            if (recording) save(recording, `${name}.wav`);
          }}
        >
          <SaveIcon />
          Recording (WAV)
        </button>
      </div>
      <p class="quiet">
        The browser records the call, you on the left channel and the agent on the right, and keeps it to itself.
      </p>
    </div>
  );
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
