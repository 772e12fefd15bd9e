import { expect, test } from "vitest";
import { COLUMN_MS, LevelHistory, type Levels, loudness } from "../src/levels";

const caller = (level: number): Levels => ({ caller: level, agent: 0 });
const shown = (history: LevelHistory) => history.columns.map((column) => column.caller);

test("loudness ranges from 0 for silence to 1 for a loud voice", () => {
  expect(loudness(new Float32Array(2048))).toBe(0);
  expect(loudness(new Float32Array(2048).fill(10 ** (-35 / 20)))).toBeCloseTo(0.5);
  expect(loudness(new Float32Array(2048).fill(0.9))).toBe(1);
});

test("a column has the loudest levels of its period", () => {
  const history = new LevelHistory();
  expect(history.add(0, { caller: 0.2, agent: 0.1 }, 10)).toBe(true);
  expect(history.add(COLUMN_MS / 2, { caller: 0.1, agent: 0.7 }, 10)).toBe(false);
  expect(history.add(COLUMN_MS, caller(0.3), 10)).toBe(true);
  expect(history.columns).toEqual([{ caller: 0.2, agent: 0.7 }, caller(0.3)]);
});

test("the oldest columns are dropped", () => {
  const history = new LevelHistory();
  for (let index = 0; index < 5; index += 1) history.add(index * COLUMN_MS, caller(index / 10), 3);
  expect(shown(history)).toEqual([0.2, 0.3, 0.4]);
});

test("columns that a busy browser skipped are as loud as the next one", () => {
  const history = new LevelHistory();
  history.add(0, caller(0.5), 50);
  history.add(3 * COLUMN_MS, caller(0.6), 50);
  expect(shown(history)).toEqual([0.5, 0.6, 0.6, 0.6]);
});

test("the time in which the page was hidden is silence", () => {
  const history = new LevelHistory();
  history.add(0, caller(0.5), 50);
  history.add(20 * COLUMN_MS, caller(0.7), 50);
  expect(shown(history)).toEqual([0.5, ...Array(19).fill(0), 0.7]);
  history.add(3_600_000, caller(0.8), 50);
  expect(shown(history)).toEqual([...Array(49).fill(0), 0.8]);
});
