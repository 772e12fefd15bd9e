import type { Call } from "../call";
import type { Problem } from "../problems";
import { CloseIcon } from "./icons";

export function Alert({ call }: { call: Call }) {
  const problem = call.problem.value;
  if (!problem) return null;
  return (
    <div role="alert" class="alert" data-testid="alert" data-code={problem.code}>
      <div class="alert-words">
        <strong>{problem.title}</strong> <span>{problem.advice}</span>
      </div>
      <Actions call={call} problem={problem} />
    </div>
  );
}

function Actions({ call, problem }: { call: Call; problem: Problem }) {
  if (problem.code === "reconnecting") return null;
  const on = call.phase.value === "on" || call.phase.value === "connecting";
  const isMicrophoneProblem = problem.code === "microphone-denied" || problem.code === "no-microphone";
  return (
    <div class="alert-actions">
      {problem.code === "audio-blocked" && (
        <button type="button" class="button" onClick={() => call.startAudio()}>
          Play audio
        </button>
      )}
      {isMicrophoneProblem && !on && (
        <button type="button" class="button" data-testid="type-instead" onClick={() => call.start(false)}>
          Type instead
        </button>
      )}
      <button type="button" class="button icon-only" aria-label="Close this message" onClick={() => call.dismiss()}>
        <CloseIcon />
      </button>
    </div>
  );
}
