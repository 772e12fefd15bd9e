/** Fake room, microphones and page server for tests of a call. */

import { vi } from "vitest";
import { Call, type Dependencies } from "../src/call";
import type { Agent, Connection, Listener } from "../src/connection";
import { BACKCHANNEL_TOPIC, PRERESPONSE_TOPIC, TURN_TOPIC } from "../src/generated/topics";
import type { TurnRecord } from "../src/generated/turn-record";
import type { Recorder } from "../src/recorder";

/** Records the methods that the call uses; tests send events through `listener`. */
export class FakeRoom implements Connection {
  calls: [string, ...unknown[]][] = [];
  failing = false;

  constructor(readonly listener: Listener) {}

  publishMicrophone = (track: MediaStreamTrack) => this.record("publishMicrophone", track);
  setMuted = (muted: boolean) => this.record("setMuted", muted);
  sendText = (text: string) => this.record("sendText", text);
  setStrategy = (name: string) => this.record("setStrategy", name).then(() => name);
  startAudio = () => this.record("startAudio");
  disconnect = () => this.record("disconnect");

  agentJoins(some: Partial<Agent> = {}): void {
    this.listener.onAgent({
      identity: "agent-1",
      state: "listening",
      strategy: "phrase",
      writesMetrics: true,
      ...some,
    });
  }

  turn(record: TurnRecord): void {
    this.listener.onMessage(TURN_TOPIC, JSON.stringify(record));
  }

  preresponse(text: string): void {
    this.listener.onMessage(PRERESPONSE_TOPIC, JSON.stringify({ text, source: "phrase" }));
  }

  backchannel(text: string, seconds: number): void {
    this.listener.onMessage(BACKCHANNEL_TOPIC, JSON.stringify({ text, seconds }));
  }

  private async record(...call: [string, ...unknown[]]): Promise<void> {
    if (this.failing) throw new Error("fake failure");
    this.calls.push(call);
  }
}

export class FakeTrack extends EventTarget {
  stopped = false;

  stop(): void {
    this.stopped = true;
  }
}

export function setUpCall() {
  const rooms: FakeRoom[] = [];
  const tracks: FakeTrack[] = [];
  const recorder = {
    setCallerTrack: vi.fn(),
    setAgentTrack: vi.fn(),
    stop: vi.fn(),
    levels: vi.fn(() => ({ caller: 0.5, agent: 0 })),
    addBackchannel: vi.fn(),
    gapOfReply: vi.fn((): number | null => 0.57),
    wav: vi.fn(() => new Blob(["RIFF"])),
  };
  const dependencies = {
    fetchSession: vi.fn(async () => ({ url: "ws://livekit", token: "token", room: "call-1", identity: "caller-1" })),
    openMicrophone: vi.fn(async (_id: string) => {
      const track = new FakeTrack();
      tracks.push(track);
      return track as unknown as MediaStreamTrack;
    }),
    connect: vi.fn(async (_session: unknown, listener: Listener) => {
      const room = new FakeRoom(listener);
      rooms.push(room);
      return room as Connection;
    }),
    startRecorder: vi.fn(async () => recorder as unknown as Recorder | null),
  } satisfies Dependencies;
  const call = new Call(dependencies);
  const room = () => rooms.at(-1) as FakeRoom;
  return { call, dependencies, recorder, rooms, tracks, room };
}
