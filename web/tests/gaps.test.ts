import { expect, test } from "vitest";
import { GapMeter } from "../src/gaps";
import { wav } from "../src/wav";

const RATE = 48_000;
const BLOCK = 0.04;

interface Sound {
  from: number;
  to: number;
  level?: number;
}

/** A recording of both sides: tones where there is sound, and noise under the caller's. */
function record(
  caller: Sound[],
  agent: Sound[],
  length: number,
  noise = 0,
  meter = new GapMeter(RATE),
  from = 0,
): GapMeter {
  const sample = (sounds: Sound[], at: number) => {
    const sound = sounds.find(({ from, to }) => at >= from && at < to);
    return sound ? (sound.level ?? 0.2) * Math.sin(2 * Math.PI * 440 * at) : 0;
  };
  for (let block = 0; block < length / BLOCK; block += 1) {
    const samples = new Int16Array(2 * RATE * BLOCK);
    for (let index = 0; index < samples.length / 2; index += 1) {
      const at = from + block * BLOCK + index / RATE;
      const hiss = noise * Math.sin(index * 12.9898 + block * 78.233) * Math.sin(index * index);
      samples[2 * index] = 32767 * (sample(caller, at) + hiss);
      samples[2 * index + 1] = 32767 * sample(agent, at);
    }
    meter.push(samples);
  }
  return meter;
}

test("the gap lasts from the caller's last sound to the agent's first, within a few milliseconds", () => {
  const meter = record([{ from: 0.5, to: 2 }], [{ from: 2.53, to: 4 }], 4.1);
  expect(meter.gapOfReply(1.47)).toBeCloseTo(0.53, 2);
});

test("pauses within speech, and between pre-response and answer, do not split a turn", () => {
  const caller = [
    { from: 0.5, to: 1 },
    { from: 1.4, to: 2 },
  ];
  const agent = [
    { from: 2.6, to: 3.5 },
    { from: 4.2, to: 6 },
  ];
  expect(record(caller, agent, 6.2).gapOfReply(3.4)).toBeCloseTo(0.6, 2);
});

test("each turn is matched to its own reply", () => {
  const caller = [
    { from: 0, to: 1 },
    { from: 4, to: 5 },
  ];
  const agent = [
    { from: 1.5, to: 3 },
    { from: 5.9, to: 7 },
  ];
  expect(record(caller, agent, 7.1).gapOfReply(1.1)).toBeCloseTo(0.9, 2);
});

test("microphone noise is not taken for the caller's voice", () => {
  const meter = record([{ from: 1, to: 2 }], [{ from: 2.5, to: 4 }], 4.1, 0.008);
  expect(meter.gapOfReply(1.5)).toBeCloseTo(0.5, 1);
});

test("a click is not taken for a reply", () => {
  const meter = record(
    [{ from: 0, to: 1 }],
    [
      { from: 1.2, to: 1.21 },
      { from: 1.6, to: 3 },
    ],
    3.1,
  );
  expect(meter.gapOfReply(1.4)).toBeCloseTo(0.6, 2);
});

test("a listener's sound that the agent announces is not taken for its reply", () => {
  const listened = { from: 1.9, to: 2.4 };
  const reply = { from: 3.5, to: 5 };
  const announced = (at: number, ...agent: Sound[]) => {
    const meter = record([{ from: 0, to: 1 }], agent.slice(0, 1), at);
    meter.addBackchannel(0.5);
    return record([{ from: 0, to: 1 }], agent, 5.1 - at, 0, meter, at).gapOfReply(1.5);
  };
  for (const at of [1.6, 1.8, 2]) expect(announced(at, listened, reply)).toBeCloseTo(2.5, 2);
  expect(announced(2, { from: 2.2, to: 4.9 })).toBeCloseTo(1.2, 2); // it was not heard
});

test("there is no gap without an audible reply", () => {
  expect(record([{ from: 0, to: 1 }], [], 3).gapOfReply(1)).toBeNull();
  expect(record([], [{ from: 1, to: 2 }], 3).gapOfReply(1)).toBeNull();
  expect(record([{ from: 0, to: 1 }], [{ from: 1.5, to: 2 }], 9).gapOfReply(1)).toBeNull();
});

test("a WAV file declares its length and contains both channels", async () => {
  const file = wav([new Blob([new Int16Array([1, 2])]), new Int16Array([3, 4])], RATE, 2);
  const bytes = await file.arrayBuffer();
  const view = new DataView(bytes);
  const text = (at: number) => String.fromCharCode(...new Uint8Array(bytes, at, 4));
  expect([text(0), text(8), text(12), text(36)]).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
  expect(view.getUint32(4, true)).toBe(bytes.byteLength - 8);
  expect([view.getUint16(22, true), view.getUint32(24, true), view.getUint32(28, true)]).toEqual([2, RATE, RATE * 4]);
  expect(view.getUint32(40, true)).toBe(8);
  expect([...new Int16Array(bytes.slice(44))]).toEqual([1, 2, 3, 4]);
});
