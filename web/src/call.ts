/** State of the call, and the actions of the caller. */

import { computed, signal } from "@preact/signals";
import type { Session } from "./api";
import type { Agent, Connect, Connection, Listener } from "./connection";
import { percentiles, totalUsage } from "./figures";
import { BACKCHANNEL_TOPIC, PRERESPONSE_TOPIC, TURN_TOPIC } from "./generated/topics";
import type { TurnRecord } from "./generated/turn-record";
import { type Levels, SILENCE } from "./levels";
import { type Problem, type ProblemCode, ProblemError, problem } from "./problems";
import type { Recorder } from "./recorder";
import { parseBackchannel, parsePreresponse, parseTurn } from "./records";
import { type Line, Transcript } from "./transcript";
import { groupTurns } from "./turn-groups";

/** The browser and network functions that a call uses; tests pass fakes. */
export interface Dependencies {
  fetchSession(): Promise<Session>;
  openMicrophone(id: string): Promise<MediaStreamTrack>;
  connect: Connect;
  /** Resolve to `null` if the browser cannot record. */
  startRecorder(): Promise<Recorder | null>;
}

export type Phase = "idle" | "connecting" | "on" | "ended";

export interface Turn {
  agent: string;
  record: TurnRecord;
  /** The response gap in the browser's recording, seconds. */
  browserGap: number | null;
}

/** Time after which a missing agent is reported. */
export const AGENT_TIMEOUT_MS = 10_000;

export class Call {
  readonly phase = signal<Phase>("idle");
  readonly problem = signal<Problem | null>(null);
  readonly agent = signal<Agent | null>(null);
  readonly lines = signal<Line[]>([]);
  readonly turns = signal<Turn[]>([]);
  readonly microphone = signal("");
  readonly hasMicrophone = signal(false);
  /** Whether the call started without a microphone. */
  readonly textOnly = signal(false);
  readonly muted = signal(false);
  readonly startedAt = signal<number | null>(null);
  readonly endedAt = signal<number | null>(null);
  readonly isRecorded = signal(false);
  /** The name of the room, which is for this call only: it leads to the call in the worker's log. */
  readonly id = signal<string | null>(null);
  /** Text in the input field. */
  readonly draft = signal("");
  /** The caller's choice; in force after the agent has confirmed it. */
  readonly requestedStrategy = signal<string | null>(null);
  readonly strategy = computed(() => this.requestedStrategy.value ?? this.agent.value?.strategy ?? null);
  readonly responseGaps = computed(() => percentiles(this.turns.value.map((turn) => turn.record.response_gap)));
  readonly answerGaps = computed(() => percentiles(this.turns.value.map((turn) => turn.record.answer_gap)));
  /** The turns as they are shown. */
  readonly groups = computed(() => groupTurns(this.turns.value));
  readonly usage = computed(() => totalUsage(this.turns.value));

  private transcript = new Transcript();
  private connection: Connection | null = null;
  private recorder: Recorder | null = null;
  private track: MediaStreamTrack | null = null;
  private session: Session | null = null;
  /** Texts that wait for an agent that can receive them. */
  private unsent: string[] = [];
  private agentTimer: ReturnType<typeof setTimeout> | undefined;
  /** Number of this call, which identifies late events of an earlier one. */
  private generation = 0;

  constructor(private readonly dependencies: Dependencies) {}

  /** Start a call; without a microphone the caller sends text. */
  async start(withMicrophone = true): Promise<void> {
    if (this.phase.value === "connecting" || this.phase.value === "on") return;
    this.reset();
    const generation = this.generation;
    this.textOnly.value = !withMicrophone;
    this.phase.value = "connecting";
    try {
      const track = withMicrophone ? await this.dependencies.openMicrophone(this.microphone.value) : null;
      if (this.isStale(generation)) return track?.stop();
      this.setTrack(track);
      await this.join(generation, track);
    } catch (error) {
      if (this.isStale(generation)) return;
      this.release();
      this.phase.value = "idle";
      this.problem.value = error instanceof ProblemError ? error.problem : problem("server-unreachable");
    }
  }

  private async join(generation: number, track: MediaStreamTrack | null): Promise<void> {
    const recorder = await this.dependencies.startRecorder().catch(() => null);
    if (this.isStale(generation)) return recorder?.stop();
    this.recorder = recorder;
    this.isRecorded.value = recorder !== null;
    recorder?.setCallerTrack(track);
    this.session = await this.dependencies.fetchSession();
    if (this.isStale(generation)) return;
    this.id.value = this.session.room || null;
    const connection = await this.dependencies.connect(this.session, this.listener(generation));
    if (this.isStale(generation)) return connection.disconnect();
    this.connection = connection;
    if (track) await connection.publishMicrophone(track);
    if (this.isStale(generation)) return;
    this.phase.value = "on";
    this.startedAt.value = Date.now();
    this.startAgentTimer();
  }

  async hangUp(): Promise<void> {
    const connection = this.connection;
    this.problem.value = null;
    this.end();
    await connection?.disconnect();
  }

  async toggleMute(): Promise<void> {
    if (!this.hasMicrophone.value) return this.changeMicrophone(this.microphone.value);
    this.muted.value = !this.muted.value;
    await this.connection?.setMuted(this.muted.value);
  }

  /** Choose a microphone; a running call switches to it immediately. */
  async changeMicrophone(id: string): Promise<void> {
    this.microphone.value = id;
    const { connection, generation } = this;
    if (!connection) return;
    try {
      const track = await this.dependencies.openMicrophone(id);
      if (this.isStale(generation)) return track.stop();
      await connection.publishMicrophone(track);
      this.setTrack(track);
      this.recorder?.setCallerTrack(track);
      if (this.muted.value) await connection.setMuted(true);
      this.clear("microphone-denied", "no-microphone");
    } catch (error) {
      this.problem.value = error instanceof ProblemError ? error.problem : problem("no-microphone");
    }
  }

  /** Send text and return whether that worked; starts a call without a microphone if none is running. */
  async sendText(text: string): Promise<boolean> {
    if (this.phase.value !== "on") await this.start(false);
    if (!this.connection) return false;
    if (!isReady(this.agent.value)) this.unsent.push(text);
    else if (!(await this.deliver(text))) return false;
    this.transcript.addTyped(text);
    this.lines.value = this.transcript.lines;
    return true;
  }

  private async deliver(text: string): Promise<boolean> {
    const { generation } = this;
    try {
      await this.connection?.sendText(text);
      this.clear("not-sent");
      return true;
    } catch {
      if (!this.isStale(generation)) this.problem.value = problem("not-sent");
      return false;
    }
  }

  /** Choose the strategy for the next turn, or before the call for its first one. */
  async chooseStrategy(name: string): Promise<void> {
    this.requestedStrategy.value = name;
    if (this.agent.value?.strategy != null) await this.applyStrategy(name);
  }

  async startAudio(): Promise<void> {
    await this.connection?.startAudio();
    this.clear("audio-blocked");
  }

  dismiss(): void {
    this.problem.value = null;
  }

  /** The content of the JSON export. */
  summary(): object {
    return {
      room: this.session?.room ?? null,
      started: this.startedAt.value && new Date(this.startedAt.value).toISOString(),
      ended: this.endedAt.value && new Date(this.endedAt.value).toISOString(),
      response_gap: this.responseGaps.value,
      answer_gap: this.answerGaps.value,
      usage: this.usage.value,
      turns: this.turns.value.map(({ agent, record, browserGap }) => ({
        ...record,
        agent,
        response_gap_in_browser: browserGap === null ? null : Number(browserGap.toFixed(4)),
      })),
    };
  }

  /** Return how loud both sides are now; silence in a browser that cannot record. */
  levels(): Levels {
    return this.recorder?.levels() ?? SILENCE;
  }

  recording(): Blob | null {
    return this.recorder?.wav() ?? null;
  }

  private listener(generation: number): Listener {
    const unlessStale =
      <Args extends unknown[]>(handler: (...args: Args) => void) =>
      (...args: Args) => {
        if (!this.isStale(generation)) handler(...args);
      };
    return {
      onAgent: unlessStale((agent) => this.onAgent(agent)),
      onSegment: unlessStale((segment) => {
        this.transcript.addSegment(segment);
        this.lines.value = this.transcript.lines;
      }),
      onMessage: unlessStale((topic, text) => this.onMessage(topic, text)),
      onConnectionState: unlessStale((state) => this.onConnectionState(state)),
      onEnded: unlessStale((reason) => {
        this.end();
        this.problem.value = reason;
      }),
      onAgentTrack: unlessStale((track) => this.recorder?.setAgentTrack(track)),
      onAudioBlocked: unlessStale((blocked) => {
        if (blocked) this.problem.value = problem("audio-blocked");
        else this.clear("audio-blocked");
      }),
    };
  }

  private onAgent(agent: Agent | null): void {
    const before = this.agent.value;
    this.agent.value = agent;
    if (!agent) {
      if (before) this.startAgentTimer();
      return;
    }
    clearTimeout(this.agentTimer);
    this.agentTimer = undefined;
    this.clear("agent-missing");
    if (isReady(agent)) for (const text of this.unsent.splice(0)) void this.deliver(text);
    const requested = this.requestedStrategy.value;
    // An agent that has just joined does not know the choice yet.
    if (requested && agent.strategy !== null && before?.strategy == null) void this.applyStrategy(requested);
  }

  private onMessage(topic: string, text: string): void {
    if (topic === TURN_TOPIC) {
      const record = parseTurn(text);
      if (!record) return;
      this.transcript.addRecord(record);
      const browserGap = record.response_gap === null ? null : this.browserGap(record);
      const turn = { agent: this.agent.value?.identity ?? "", record, browserGap };
      this.turns.value = [...this.turns.value, turn];
    } else if (topic === PRERESPONSE_TOPIC) {
      const preresponse = parsePreresponse(text);
      if (preresponse) this.transcript.addPreresponse(preresponse.text);
    } else if (topic === BACKCHANNEL_TOPIC) {
      // No line of the conversation: the caller has the floor, and a line would part what they say in two.
      const backchannel = parseBackchannel(text);
      if (backchannel) this.recorder?.addBackchannel(backchannel.seconds);
    }
    this.lines.value = this.transcript.lines;
  }

  private browserGap(record: TurnRecord): number | null {
    return this.recorder?.gapOfReply(replyDuration(record)) ?? null;
  }

  private onConnectionState(state: "connected" | "reconnecting"): void {
    if (state === "reconnecting") {
      this.problem.value = problem("reconnecting");
    } else {
      this.clear("reconnecting");
      if (!this.agent.value) this.startAgentTimer();
    }
  }

  private startAgentTimer(): void {
    if (this.agent.value || this.agentTimer !== undefined || this.phase.value !== "on") return;
    this.agentTimer = setTimeout(() => {
      this.agentTimer = undefined;
      if (!this.agent.value && !this.problem.value) this.problem.value = problem("agent-missing");
    }, AGENT_TIMEOUT_MS);
  }

  private async applyStrategy(name: string): Promise<void> {
    const { connection, generation } = this;
    try {
      await connection?.setStrategy(name);
    } catch {
      if (this.isStale(generation) || this.requestedStrategy.value !== name) return;
      this.requestedStrategy.value = null;
      this.problem.value = problem("not-sent", { title: "The agent did not accept this strategy." });
    }
  }

  private setTrack(track: MediaStreamTrack | null): void {
    this.track?.stop();
    this.track = track;
    this.hasMicrophone.value = track !== null;
    track?.addEventListener("ended", () => {
      if (this.track !== track) return;
      this.setTrack(null);
      this.problem.value = problem("no-microphone", {
        title: "The microphone was disconnected.",
        advice: "Reconnect it or choose another one. You can also type to the agent.",
      });
    });
  }

  private isStale(generation: number): boolean {
    return generation !== this.generation;
  }

  private clear(...codes: ProblemCode[]): void {
    if (this.problem.value && codes.includes(this.problem.value.code)) this.problem.value = null;
  }

  private end(): void {
    if (this.phase.value !== "on" && this.phase.value !== "connecting") return;
    const wasOn = this.phase.value === "on";
    this.generation += 1;
    this.release();
    if (wasOn) this.endedAt.value = Date.now();
    this.phase.value = wasOn ? "ended" : "idle";
  }

  /** Release microphone and connection; the recording stays until the next call. */
  private release(): void {
    clearTimeout(this.agentTimer);
    this.agentTimer = undefined;
    this.recorder?.stop();
    this.setTrack(null);
    this.connection = null;
    this.agent.value = null;
    this.muted.value = false;
  }

  private reset(): void {
    this.generation += 1;
    this.problem.value = null;
    this.transcript = new Transcript();
    this.lines.value = [];
    this.turns.value = [];
    this.recorder = null;
    this.isRecorded.value = false;
    this.session = null;
    this.id.value = null;
    this.unsent = [];
    this.startedAt.value = null;
    this.endedAt.value = null;
  }
}

/** Whether the agent can receive text. */
function isReady(agent: Agent | null): boolean {
  return agent !== null && agent.state !== "initializing";
}

function replyDuration({ instants, response_gap }: TurnRecord): number {
  const ends = [instants.answer_end, instants.preresponse_end, instants.interruption].filter((end) => end !== null);
  return Math.max(0, ...ends) - (response_gap ?? 0);
}
