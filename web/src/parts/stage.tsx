import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Call } from "../call";
import { clock } from "../figures";
import { listMicrophones, type Microphone, onMicrophonesChanged } from "../microphone";
import { Composer } from "./conversation";
import { HangUpIcon, MicIcon, MicOffIcon } from "./icons";
import { SoundPicture } from "./sound";

const STATES: Record<string, string> = {
  idle: "Ready when you are",
  connecting: "Connecting …",
  waiting: "Waiting for the agent …",
  initializing: "The agent is getting ready …",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  ended: "Call ended",
};

/** What the caller may do in each state. */
const HINTS: Record<string, string> = {
  connecting: "The agent cannot hear you yet.",
  waiting: "It cannot hear you yet.",
  initializing: "It cannot hear you yet.",
  listening: "Speak now.",
  thinking: "You can continue.",
  speaking: "Interrupt at any time.",
  ended: "You can still save it, or call again.",
};

/** The state of the agent, and the controls of the call. */
export function Stage({ call, textInput }: { call: Call; textInput: boolean }) {
  const phase = call.phase.value;
  const on = phase === "on" || phase === "connecting";
  const idle = phase === "idle";
  return (
    <section class={idle ? "card stage hero" : "card stage"} data-on={on} aria-label="Call">
      <Orb state={stateOf(call)} />
      <div class="stage-words">
        {idle && <h2>Talk to the agent</h2>}
        <State call={call} />
        {!idle && <p class="quiet hint">{hintOf(call)}</p>}
        {idle && (
          <p class="quiet">
            Ask anything, and interrupt at any time. The page measures each reply, from your last sound to the agent's
            first.
          </p>
        )}
      </div>
      <Controls call={call} on={on} />
      {on && <SoundPicture call={call} />}
      <MicrophoneRow call={call} />
      {idle && textInput && <Composer call={call} />}
    </section>
  );
}

function stateOf(call: Call): string {
  const phase = call.phase.value;
  if (phase !== "on") return phase;
  return call.agent.value?.state ?? "waiting";
}

function hintOf(call: Call): string | undefined {
  const state = stateOf(call);
  if (state !== "listening") return HINTS[state];
  if (!call.hasMicrophone.value) return "Type below.";
  return call.muted.value ? "The agent cannot hear you." : HINTS.listening;
}

function State({ call }: { call: Call }) {
  const state = stateOf(call);
  return (
    <p class="state">
      <span class="dot" data-state={state} />
      <span data-testid="agent-state" data-state={state}>
        {STATES[state]}
      </span>
      <Duration call={call} />
      {call.muted.value && <span class="chip warning">You are muted</span>}
    </p>
  );
}

function Duration({ call }: { call: Call }) {
  const now = useSignal(Date.now());
  const started = call.startedAt.value;
  const ended = call.endedAt.value;
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
    return () => clearInterval(timer);
  }, [now]);
  if (started === null) return null;
  return (
    <span class="quiet figures" role="timer" aria-label="Length of the call">
      {clock(((ended ?? Math.max(now.value, started)) - started) / 1000)}
    </span>
  );
}

/** Bars that move while the agent speaks; their rhythm is decoration. */
function Orb({ state }: { state: string }) {
  return (
    <div class="orb" data-state={state} aria-hidden="true">
      <span class="orb-halo" />
      <span class="orb-core">
        <i />
        <i />
        <i />
        <i />
      </span>
    </div>
  );
}

function Controls({ call, on }: { call: Call; on: boolean }) {
  if (!on)
    return (
      <div class="controls">
        <button type="button" class="button primary large" data-testid="talk" onClick={() => call.start()}>
          <MicIcon />
          {call.phase.value === "ended" ? "Talk again" : "Talk"}
        </button>
      </div>
    );
  return (
    <div class="controls">
      <MuteButton call={call} />
      <button type="button" class="button danger large" data-testid="hang-up" onClick={() => call.hangUp()}>
        <HangUpIcon />
        Hang up
      </button>
    </div>
  );
}

function MuteButton({ call }: { call: Call }) {
  const hasMicrophone = call.hasMicrophone.value;
  const muted = call.muted.value;
  return (
    <button
      type="button"
      class="button large"
      data-testid="mute"
      aria-pressed={hasMicrophone ? muted : undefined}
      disabled={call.phase.value !== "on"}
      onClick={() => call.toggleMute()}
    >
      {hasMicrophone && !muted ? <MicIcon /> : <MicOffIcon />}
      {hasMicrophone ? "Mute" : "Use microphone"}
    </button>
  );
}

function MicrophoneRow({ call }: { call: Call }) {
  const microphones = useSignal<Microphone[]>([]);
  const hasMicrophone = call.hasMicrophone.value;
  // Repeated after the caller has allowed the microphone, as the labels are unknown before.
  useEffect(() => {
    const update = () =>
      listMicrophones().then((found) => {
        microphones.value = found;
      });
    void update();
    return onMicrophonesChanged(() => void update());
  }, [microphones, hasMicrophone]);
  return (
    <div class="microphone">
      <label>
        <span class="quiet">Microphone</span>
        <select
          data-testid="microphone"
          value={call.microphone.value}
          onChange={(event) => call.changeMicrophone(event.currentTarget.value)}
        >
          <option value="">Default</option>
          {microphones.value.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
