/** A call's surroundings for tests: a room, microphones and a page server that do what the test says. */

import { vi } from "vitest";
import { Call, type Outside } from "../src/call";
import { PRERESPONSE_TOPIC, TURN_TOPIC } from "../src/generated/topics";
import type { TurnRecord } from "../src/generated/turn-record";
import type { Agent, Link, Listener } from "../src/link";
import type { Recorder } from "../src/recorder";

/** The room of the call that is on: `says` is what happens in it, `heard` what reached it. */
export class FakeRoom implements Link {
  heard: [string, ...unknown[]][] = [];
  failing = false;

  constructor(readonly says: Listener) {}

  speak = (track: MediaStreamTrack) => this.note("speak", track);
  mute = (muted: boolean) => this.note("mute", muted);
  type = (text: string) => this.note("type", text);
  chooseStrategy = (name: string) => this.note("strategy", name).then(() => name);
  playSound = () => this.note("play");
  hangUp = () => this.note("hang up");

  agentJoins(some: Partial<Agent> = {}): void {
    this.says.agent({ identity: "agent-1", state: "listening", strategy: "phrase", measured: true, ...some });
  }

  turn(record: TurnRecord): void {
    this.says.message(TURN_TOPIC, JSON.stringify(record));
  }

  preresponse(text: string): void {
    this.says.message(PRERESPONSE_TOPIC, JSON.stringify({ text, source: "phrase" }));
  }

  private async note(...what: [string, ...unknown[]]): Promise<void> {
    if (this.failing) throw new Error("no such luck");
    this.heard.push(what);
  }
}

export class FakeTrack extends EventTarget {
  stopped = false;

  stop(): void {
    this.stopped = true;
  }
}

export function setUp() {
  const rooms: FakeRoom[] = [];
  const tracks: FakeTrack[] = [];
  const recorder = {
    hearCaller: vi.fn(),
    hearAgent: vi.fn(),
    stop: vi.fn(),
    gapOfReply: vi.fn((): number | null => 0.57),
    wav: vi.fn(() => new Blob(["RIFF"])),
  };
  const outside = {
    fetchSession: vi.fn(async () => ({ url: "ws://livekit", token: "token", room: "call-1", identity: "caller-1" })),
    openMicrophone: vi.fn(async (_id: string) => {
      const track = new FakeTrack();
      tracks.push(track);
      return track as unknown as MediaStreamTrack;
    }),
    connect: vi.fn(async (_session: unknown, listener: Listener) => {
      const room = new FakeRoom(listener);
      rooms.push(room);
      return room as Link;
    }),
    record: vi.fn(async () => recorder as unknown as Recorder | null),
  } satisfies Outside;
  const call = new Call(outside);
  const room = () => rooms.at(-1) as FakeRoom;
  return { call, outside, recorder, rooms, tracks, room };
}
