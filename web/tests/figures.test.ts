import { expect, test } from "vitest";
import { clock, dollars, duration, percentiles, totalUsage } from "../src/figures";
import { turn } from "./turns";

test("percentiles are interpolated for values in any order", () => {
  expect(percentiles([4, 1, 3, 2])).toEqual({ count: 4, p50: 2.5, p95: expect.closeTo(3.85) });
});

test("turns without a gap, such as the greeting, are not counted", () => {
  expect(percentiles([null, 0.5, null])).toEqual({ count: 1, p50: 0.5, p95: 0.5 });
  expect(percentiles([null])).toBeNull();
});

test("the usage of a call is the latest usage that its agent reported", () => {
  const early = { ...turn().usage, prompt_tokens: 10 } as ReturnType<typeof turn>["usage"];
  const turns = [
    { agent: "a", record: turn({ usage: early }) },
    { agent: "a", record: turn() },
  ];
  expect(totalUsage(turns)?.prompt_tokens).toBe(310);
});

test("the usage of an agent that replaced the first one is added", () => {
  const turns = [
    { agent: "a", record: turn() },
    { agent: "b", record: turn() },
    { agent: "b", record: turn({ usage: null }) },
  ];
  expect(totalUsage(turns)).toMatchObject({ prompt_tokens: 620, cost_usd: 0.0122 });
});

test("missing usage is null, not zero", () => {
  expect(totalUsage([{ agent: "a", record: turn({ usage: null }) }])).toBeNull();
});

test("numbers are formatted for display", () => {
  expect(dollars(0.00612)).toBe("$0.0061");
  expect(dollars(3)).toBe("$3.00");
  expect(clock(187.9)).toBe("3:07");
});

test.each([
  [0, "0 ms"],
  [0.0004, "0 ms"],
  [0.38, "380 ms"],
  [0.9994, "999 ms"],
  [0.9996, "1.0 s"],
  [1, "1.0 s"],
  [6.381, "6.4 s"],
  [72.06, "72.1 s"],
  [-0.25, "-250 ms"],
  [-1.25, "-1.3 s"],
  [null, "–"],
  [undefined, "–"],
])("%s seconds are formatted as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
