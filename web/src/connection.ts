/** The interface between a call and its transport. `livekit.ts` implements it; tests have a fake. */

import type { Session } from "./api";
import type { Problem } from "./problems";
import type { Segment } from "./transcript";

export type AgentState = "initializing" | "listening" | "thinking" | "speaking";

export interface Agent {
  /** Unique in a call: an agent that joins after a restart of the server has another identity. */
  identity: string;
  state: AgentState;
  /** The strategy in force; `null` if callers may not choose. */
  strategy: string | null;
  /** Whether the worker can write the metrics of this call. */
  writesMetrics: boolean;
}

/** Callbacks for events of the call. */
export interface Listener {
  onAgent(agent: Agent | null): void;
  onSegment(segment: Segment): void;
  /** Text that the agent sent on a topic. */
  onMessage(topic: string, text: string): void;
  onConnectionState(state: "connected" | "reconnecting"): void;
  /** The call ended, and the caller did not end it. */
  onEnded(problem: Problem): void;
  /** The agent's audio track, which is being played. */
  onAgentTrack(track: MediaStreamTrack | null): void;
  onAudioBlocked(blocked: boolean): void;
}

export interface Connection {
  /** Publish the microphone's track; a second call replaces the first track. */
  publishMicrophone(track: MediaStreamTrack): Promise<void>;
  setMuted(muted: boolean): Promise<void>;
  sendText(text: string): Promise<void>;
  /** Resolve to the strategy in force. */
  setStrategy(name: string): Promise<string>;
  /** Start playback after a click, which some browsers require. */
  startAudio(): Promise<void>;
  disconnect(): Promise<void>;
}

/** Join the room; throws a `ProblemError` if that fails. */
export type Connect = (session: Session, listener: Listener) => Promise<Connection>;
