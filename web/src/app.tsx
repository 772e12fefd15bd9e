import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Config, fetchConfig } from "./api";
import type { Call } from "./call";
import type { Agent } from "./connection";
import { Alert } from "./parts/alert";
import { Conversation } from "./parts/conversation";
import { Headline, Turns, UsageCard } from "./parts/measurements";
import { Stage } from "./parts/stage";
import { StrategySwitch } from "./parts/strategy";
import { ThemeButton } from "./parts/theme";
import { ProblemError } from "./problems";

export function App({ call }: { call: Call }) {
  const config = useSignal<Config>({ strategies: [], text_input: true });
  useEffect(() => {
    fetchConfig()
      .then((fetched) => {
        config.value = fetched;
      })
      .catch((error: unknown) => {
        if (error instanceof ProblemError) call.problem.value = error.problem;
      });
  }, [call, config]);
  return (
    <>
      <header class="top">
        <h1>
          <img src="./favicon.svg" alt="" width="28" height="28" /> agent-worker
        </h1>
        <ThemeButton />
      </header>
      <main>
        <Alert call={call} />
        <div class="columns">
          <div class="talk">
            <Stage call={call} textInput={config.value.text_input} />
            {call.phase.value !== "idle" && <Conversation call={call} textInput={config.value.text_input} />}
          </div>
          <div class="measurements">
            <div class="summary">
              <Headline call={call} />
              <StrategySwitch call={call} names={config.value.strategies} />
              {(call.phase.value !== "idle" || call.id.value) && <UsageCard call={call} />}
            </div>
            <Turns call={call} />
          </div>
        </div>
      </main>
      <Announcer call={call} />
    </>
  );
}

/** The same in all states of an agent that has joined: a screen reader must not talk over the call. */
function announcementOf(agent: Agent | null): string {
  if (!agent) return "Connected. Waiting for the agent, which cannot hear you yet.";
  return agent.state === "initializing" ? "The agent is getting ready." : "The agent has joined. You can speak.";
}

/** Tells screen readers about changes that the caller did not cause. */
function Announcer({ call }: { call: Call }) {
  const phase = call.phase.value;
  const text = {
    idle: "",
    connecting: "Connecting.",
    on: announcementOf(call.agent.value),
    ended: "The call has ended.",
  }[phase];
  return (
    <p class="hidden" role="status">
      {text}
    </p>
  );
}
