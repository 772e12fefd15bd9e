/** The call: what the page shows, and what a person can do about it. */

import { computed, signal } from "@preact/signals";
import type { Session } from "./api";
import { percentiles, totalUsage } from "./figures";
import { PRERESPONSE_TOPIC, TURN_TOPIC } from "./generated/topics";
import type { TurnRecord } from "./generated/turn-record";
import type { Agent, Connect, Link, Listener } from "./link";
import { type Code, type Problem, ProblemError, problem } from "./problems";
import type { Recorder } from "./recorder";
import { parsePreresponse, parseTurn } from "./records";
import { type Line, Transcript } from "./transcript";

/** What the call needs of the world. */
export interface Outside {
  fetchSession(): Promise<Session>;
  openMicrophone(id: string): Promise<MediaStreamTrack>;
  connect: Connect;
  /** `null` where the browser cannot record. */
  record(onLevels: (levels: { caller: number; agent: number }) => void): Promise<Recorder | null>;
}

export type Phase = "idle" | "connecting" | "on" | "ended";

export interface Turn {
  agent: string;
  record: TurnRecord;
  /** The response gap in the browser's own recording. */
  heardGap: number | null;
}

/** How long an agent may take to join. */
export const AGENT_DUE = 10_000;

export class Call {
  readonly phase = signal<Phase>("idle");
  readonly problem = signal<Problem | null>(null);
  readonly agent = signal<Agent | null>(null);
  readonly lines = signal<Line[]>([]);
  readonly turns = signal<Turn[]>([]);
  readonly levels = signal({ caller: 0, agent: 0 });
  readonly microphone = signal("");
  readonly speaking = signal(false);
  /** Begun without a microphone. */
  readonly typing = signal(false);
  readonly muted = signal(false);
  readonly startedAt = signal<number | null>(null);
  readonly endedAt = signal<number | null>(null);
  readonly recorded = signal(false);
  /** Being typed. */
  readonly draft = signal("");
  /** Chosen by the person: in force once the agent says so. */
  readonly wanted = signal<string | null>(null);
  readonly strategy = computed(() => this.wanted.value ?? this.agent.value?.strategy ?? null);
  readonly responseGaps = computed(() => percentiles(this.turns.value.map((turn) => turn.record.response_gap)));
  readonly answerGaps = computed(() => percentiles(this.turns.value.map((turn) => turn.record.answer_gap)));
  readonly usage = computed(() => totalUsage(this.turns.value));

  private transcript = new Transcript();
  private link: Link | null = null;
  private recorder: Recorder | null = null;
  private track: MediaStreamTrack | null = null;
  private session: Session | null = null;
  /** Typed before there was an agent to read it. */
  private unread: string[] = [];
  private agentTimer: ReturnType<typeof setTimeout> | undefined;
  /** Counts calls, so that what comes late from one that has ended is not taken for the next. */
  private number = 0;

  constructor(private readonly outside: Outside) {}

  /** Begin a call; without a microphone the person types. */
  async start(withMicrophone = true): Promise<void> {
    if (this.phase.value === "connecting" || this.phase.value === "on") return;
    this.reset();
    const number = this.number;
    this.typing.value = !withMicrophone;
    this.phase.value = "connecting";
    try {
      const track = withMicrophone ? await this.outside.openMicrophone(this.microphone.value) : null;
      if (this.left(number)) return track?.stop();
      this.take(track);
      await this.join(number, track);
    } catch (error) {
      if (this.left(number)) return;
      this.release();
      this.phase.value = "idle";
      this.problem.value = error instanceof ProblemError ? error.problem : problem("server-unreachable");
    }
  }

  private async join(number: number, track: MediaStreamTrack | null): Promise<void> {
    const recorder = await this.outside.record((levels) => this.onLevels(number, levels)).catch(() => null);
    if (this.left(number)) return recorder?.stop();
    this.recorder = recorder;
    this.recorded.value = recorder !== null;
    recorder?.hearCaller(track);
    this.session = await this.outside.fetchSession();
    if (this.left(number)) return;
    const link = await this.outside.connect(this.session, this.listener(number));
    if (this.left(number)) return link.hangUp();
    this.link = link;
    if (track) await link.speak(track);
    if (this.left(number)) return;
    this.phase.value = "on";
    this.startedAt.value = Date.now();
    this.awaitAgent();
  }

  async hangUp(): Promise<void> {
    const link = this.link;
    this.problem.value = null;
    this.end();
    await link?.hangUp();
  }

  async toggleMute(): Promise<void> {
    if (!this.speaking.value) return this.changeMicrophone(this.microphone.value);
    this.muted.value = !this.muted.value;
    await this.link?.mute(this.muted.value);
  }

  /** At once, if a call is on. */
  async changeMicrophone(id: string): Promise<void> {
    this.microphone.value = id;
    const { link, number } = this;
    if (!link) return;
    try {
      const track = await this.outside.openMicrophone(id);
      if (this.left(number)) return track.stop();
      await link.speak(track);
      this.take(track);
      this.recorder?.hearCaller(track);
      if (this.muted.value) await link.mute(true);
      this.clear("microphone-denied", "no-microphone");
    } catch (error) {
      this.problem.value = error instanceof ProblemError ? error.problem : problem("no-microphone");
    }
  }

  /** Returns whether it was taken. Begins a call without a microphone if none is on. */
  async type(text: string): Promise<boolean> {
    if (this.phase.value !== "on") await this.start(false);
    if (!this.link) return false;
    if (!isReady(this.agent.value)) this.unread.push(text);
    else if (!(await this.send(text))) return false;
    this.transcript.typed(text);
    this.lines.value = this.transcript.lines;
    return true;
  }

  private async send(text: string): Promise<boolean> {
    const { number } = this;
    try {
      await this.link?.type(text);
      this.clear("not-sent");
      return true;
    } catch {
      if (!this.left(number)) this.problem.value = problem("not-sent");
      return false;
    }
  }

  /** From the next turn on; before the call, from its beginning. */
  async chooseStrategy(name: string): Promise<void> {
    this.wanted.value = name;
    if (this.agent.value?.strategy != null) await this.applyStrategy(name);
  }

  async playSound(): Promise<void> {
    await this.link?.playSound();
    this.clear("sound-blocked");
  }

  dismiss(): void {
    this.problem.value = null;
  }

  /** What `Save JSON` saves. */
  summary(): object {
    return {
      room: this.session?.room ?? null,
      started: this.startedAt.value && new Date(this.startedAt.value).toISOString(),
      ended: this.endedAt.value && new Date(this.endedAt.value).toISOString(),
      response_gap: this.responseGaps.value,
      answer_gap: this.answerGaps.value,
      usage: this.usage.value,
      turns: this.turns.value.map(({ agent, record, heardGap }) => ({
        ...record,
        agent,
        response_gap_in_browser: heardGap === null ? null : Number(heardGap.toFixed(4)),
      })),
    };
  }

  recording(): Blob | null {
    return this.recorder?.wav() ?? null;
  }

  private listener(number: number): Listener {
    const ifOn =
      <Args extends unknown[]>(then: (...args: Args) => void) =>
      (...args: Args) => {
        if (!this.left(number)) then(...args);
      };
    return {
      agent: ifOn((agent) => this.onAgent(agent)),
      segment: ifOn((segment) => {
        this.transcript.segment(segment);
        this.lines.value = this.transcript.lines;
      }),
      message: ifOn((topic, text) => this.onMessage(topic, text)),
      connection: ifOn((state) => this.onConnection(state)),
      ended: ifOn((why) => {
        this.end();
        this.problem.value = why;
      }),
      voice: ifOn((track) => this.recorder?.hearAgent(track)),
      soundBlocked: ifOn((blocked) => {
        if (blocked) this.problem.value = problem("sound-blocked");
        else this.clear("sound-blocked");
      }),
    };
  }

  private onAgent(agent: Agent | null): void {
    const before = this.agent.value;
    this.agent.value = agent;
    if (!agent) {
      if (before) this.awaitAgent();
      return;
    }
    clearTimeout(this.agentTimer);
    this.agentTimer = undefined;
    this.clear("agent-missing");
    if (isReady(agent)) for (const text of this.unread.splice(0)) void this.send(text);
    const wanted = this.wanted.value;
    // An agent that has just joined does not know yet what was chosen.
    if (wanted && agent.strategy !== null && before?.strategy == null) void this.applyStrategy(wanted);
  }

  private onMessage(topic: string, text: string): void {
    if (topic === TURN_TOPIC) {
      const record = parseTurn(text);
      if (!record) return;
      this.transcript.record(record);
      const heardGap = record.response_gap === null ? null : this.heardGap(record);
      const turn = { agent: this.agent.value?.identity ?? "", record, heardGap };
      this.turns.value = [...this.turns.value, turn];
    } else if (topic === PRERESPONSE_TOPIC) {
      const preresponse = parsePreresponse(text);
      if (preresponse) this.transcript.preresponse(preresponse.text);
    }
    this.lines.value = this.transcript.lines;
  }

  private heardGap(record: TurnRecord): number | null {
    return this.recorder?.gapOfReply(replyDuration(record)) ?? null;
  }

  private onConnection(state: "connected" | "reconnecting"): void {
    if (state === "reconnecting") {
      this.problem.value = problem("reconnecting");
    } else {
      this.clear("reconnecting");
      if (!this.agent.value) this.awaitAgent();
    }
  }

  private onLevels(number: number, levels: { caller: number; agent: number }): void {
    if (!this.left(number)) this.levels.value = levels;
  }

  private awaitAgent(): void {
    if (this.agent.value || this.agentTimer !== undefined || this.phase.value !== "on") return;
    this.agentTimer = setTimeout(() => {
      this.agentTimer = undefined;
      if (!this.agent.value && !this.problem.value) this.problem.value = problem("agent-missing");
    }, AGENT_DUE);
  }

  private async applyStrategy(name: string): Promise<void> {
    const { link, number } = this;
    try {
      await link?.chooseStrategy(name);
    } catch {
      if (this.left(number) || this.wanted.value !== name) return;
      this.wanted.value = null;
      this.problem.value = problem("not-sent", { title: "The agent did not take that choice." });
    }
  }

  private take(track: MediaStreamTrack | null): void {
    this.track?.stop();
    this.track = track;
    this.speaking.value = track !== null;
    track?.addEventListener("ended", () => {
      if (this.track !== track) return;
      this.take(null);
      this.problem.value = problem("no-microphone", {
        title: "The microphone is gone.",
        advice: "Plug it in again or choose another one. You can also type to the agent.",
      });
    });
  }

  private left(number: number): boolean {
    return number !== this.number;
  }

  private clear(...codes: Code[]): void {
    if (this.problem.value && codes.includes(this.problem.value.code)) this.problem.value = null;
  }

  private end(): void {
    if (this.phase.value !== "on" && this.phase.value !== "connecting") return;
    const wasOn = this.phase.value === "on";
    this.number += 1;
    this.release();
    if (wasOn) this.endedAt.value = Date.now();
    this.phase.value = wasOn ? "ended" : "idle";
  }

  /** The recording is kept until the next call. */
  private release(): void {
    clearTimeout(this.agentTimer);
    this.agentTimer = undefined;
    this.recorder?.stop();
    this.take(null);
    this.link = null;
    this.agent.value = null;
    this.muted.value = false;
    this.levels.value = { caller: 0, agent: 0 };
  }

  private reset(): void {
    this.number += 1;
    this.problem.value = null;
    this.transcript = new Transcript();
    this.lines.value = [];
    this.turns.value = [];
    this.recorder = null;
    this.recorded.value = false;
    this.session = null;
    this.unread = [];
    this.startedAt.value = null;
    this.endedAt.value = null;
  }
}

/** It takes typed words from then on. */
function isReady(agent: Agent | null): boolean {
  return agent !== null && agent.state !== "initializing";
}

function replyDuration({ instants, response_gap }: TurnRecord): number {
  const ends = [instants.answer_end, instants.preresponse_end, instants.interruption].filter((end) => end !== null);
  return Math.max(0, ...ends) - (response_gap ?? 0);
}
