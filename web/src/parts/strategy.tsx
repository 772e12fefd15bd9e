import type { Call } from "../call";

const NAMES: Record<string, { label: string; description: string }> = {
  phrase: { label: "Phrase", description: "A phrase that fits, with audio synthesised in advance." },
  llm: { label: "Fast model", description: "A short reply from a small, fast model." },
  hybrid: { label: "Hybrid", description: "The fast model's reply if it arrives in time, otherwise a phrase." },
  off: { label: "Off", description: "No pre-response: you wait for the answer." },
};

/** Choice of the pre-response for the next turn. */
export function StrategySwitch({ call, names }: { call: Call; names: readonly string[] }) {
  if (!names.length) return null;
  const chosen = call.strategy.value;
  const agent = call.agent.value;
  const fixed = agent !== null && agent.strategy === null && agent.state !== "initializing";
  return (
    <fieldset class="card strategy" data-testid="strategy" disabled={fixed}>
      <legend>Pre-response</legend>
      <div class="segments">
        {names.map((name) => (
          <label key={name} class="segment">
            <input
              type="radio"
              name="strategy"
              value={name}
              checked={chosen === name}
              onChange={() => call.chooseStrategy(name)}
            />
            <span>{NAMES[name]?.label ?? name}</span>
          </label>
        ))}
      </div>
      <p class="quiet" aria-live="polite">
        {descriptionOf(chosen, fixed)}
      </p>
    </fieldset>
  );
}

function descriptionOf(chosen: string | null, fixed: boolean): string {
  if (fixed) return "This agent does not let callers choose.";
  if (!chosen) return "Choose before or during the call; the choice applies from the next turn.";
  return NAMES[chosen]?.description ?? "A custom strategy of this agent.";
}
