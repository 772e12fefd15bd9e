import type { Call } from "../call";

const NAMES: Record<string, { label: string; words: string }> = {
  phrase: { label: "Phrase", words: "A phrase that fits, with audio made beforehand." },
  llm: { label: "Fast model", words: "The words of a small, fast model." },
  hybrid: { label: "Hybrid", words: "The fast model's words if they are ready in time, else a phrase." },
  off: { label: "Off", words: "Nothing: you wait for the answer." },
};

/** Which pre-response the caller hears, from the next turn on. */
export function StrategySwitch({ call, names }: { call: Call; names: readonly string[] }) {
  if (!names.length) return null;
  const chosen = call.strategy.value;
  const agent = call.agent.value;
  const fixed = agent !== null && agent.strategy === null && agent.state !== "initializing";
  return (
    <fieldset class="card strategy" data-testid="strategy" disabled={fixed}>
      <legend>What the agent says at once</legend>
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
        {words(chosen, fixed)}
      </p>
    </fieldset>
  );
}

function words(chosen: string | null, fixed: boolean): string {
  if (fixed) return "This agent does not let callers choose.";
  if (!chosen) return "Choose before or during the call; it holds from the next turn on.";
  return NAMES[chosen]?.words ?? "A strategy of this agent's own.";
}
