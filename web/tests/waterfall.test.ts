import { expect, test } from "vitest";
import { axisTicks, waterfall } from "../src/waterfall";
import { instants, turn } from "./turns";

const bars = (record = turn()) =>
  Object.fromEntries(waterfall(record).bars.map((bar) => [bar.stage, [bar.from, bar.to]]));

test("a turn with a phrase shows each stage with the times of its record", () => {
  expect(bars()).toEqual({
    stt: [0, 0.2],
    end_of_turn: [0.2, 0.45],
    main_model: [0.2, 0.8],
    answer_tts: [0.8, 1.1],
    preresponse: [0.53, 1.88],
    answer: [1.9, 4],
  });
});

test("a reply of the fast model shows the model and its TTS", () => {
  const at = { ...turn().instants, fast_request: 0.2, fast_first_token: 0.35, fast_first_audio: 0.6 };
  expect(bars(turn({ preresponse_source: "llm", instants: at }))).toMatchObject({
    fast_model: [0.2, 0.35],
    preresponse_tts: [0.35, 0.6],
  });
});

test("an interrupted answer ends at the interruption", () => {
  const at = { ...turn().instants, answer_end: null, interruption: 2.5 };
  expect(bars(turn({ instants: at })).answer).toEqual([1.9, 2.5]);
});

test("requests before the end of speech start left of zero", () => {
  const at = { ...turn().instants, main_request: -0.4 };
  expect(waterfall(turn({ instants: at })).start).toBe(-0.4);
});

test("only the beginning of the speech is shown", () => {
  expect(waterfall(turn()).end).toBeCloseTo(2.5);
});

test("a turn without timestamps has no bars", () => {
  expect(waterfall(turn({ instants: instants() }))).toEqual({ bars: [], start: 0, end: 0.1 });
});

test("the axis has round ticks", () => {
  expect(axisTicks({ start: 0, end: 2.5 })).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
  expect(axisTicks({ start: -0.25, end: 0.3 })).toEqual([-0.2, 0, 0.2]);
  expect(axisTicks({ start: 0, end: 300 }).length).toBeLessThan(10);
});
