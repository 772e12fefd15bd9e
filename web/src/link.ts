/** The call's connection as the page needs it. `livekit.ts` is the real one; tests have one of their own. */

import type { Session } from "./api";
import type { Problem } from "./problems";
import type { Segment } from "./transcript";

export type AgentState = "initializing" | "listening" | "thinking" | "speaking";

export interface Agent {
  /** Of this call only: an agent that joins anew, as after a restart of the server, has another. */
  identity: string;
  state: AgentState;
  /** In force; `null` where callers may not choose. */
  strategy: string | null;
  /** Whether the worker can write the metrics of this call. */
  measured: boolean;
}

/** What happens in the call. */
export interface Listener {
  agent(agent: Agent | null): void;
  segment(segment: Segment): void;
  /** Text that the agent sent on a topic. */
  message(topic: string, text: string): void;
  connection(state: "connected" | "reconnecting"): void;
  /** By anybody but the caller. */
  ended(problem: Problem): void;
  /** The agent's voice, which is being played. */
  voice(track: MediaStreamTrack | null): void;
  soundBlocked(blocked: boolean): void;
}

export interface Link {
  /** Be heard; instead of the microphone so far, if there was one. */
  speak(microphone: MediaStreamTrack): Promise<void>;
  mute(muted: boolean): Promise<void>;
  type(text: string): Promise<void>;
  /** Resolves to the strategy in force. */
  chooseStrategy(name: string): Promise<string>;
  /** After a click, where the browser wants one first. */
  playSound(): Promise<void>;
  hangUp(): Promise<void>;
}

/** Throws a `ProblemError` if there is no way in. */
export type Connect = (session: Session, listener: Listener) => Promise<Link>;
