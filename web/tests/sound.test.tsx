import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { animate } from "../src/animation";
import { COLUMN_MS } from "../src/levels";
import { painter } from "../src/parts/sound";

let frames = new Map<number, FrameRequestCallback>();
let ids = 0;
let hidden = false;
let reduced = false;

beforeEach(() => {
  frames = new Map();
  hidden = false;
  reduced = false;
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => {
    frames.set(++ids, callback);
    return ids;
  });
  vi.stubGlobal("cancelAnimationFrame", (id: number) => frames.delete(id));
  vi.stubGlobal("matchMedia", () => ({
    get matches() {
      return reduced;
    },
  }));
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Let the browser repaint. */
function repaint(now: number) {
  const due = [...frames.values()];
  frames.clear();
  for (const callback of due) callback(now);
}

function setHidden(value: boolean) {
  hidden = value;
  document.dispatchEvent(new Event("visibilitychange"));
}

test("a visible page draws before each repaint, until it is stopped", () => {
  const draw = vi.fn();
  const stop = animate(draw);
  repaint(1);
  repaint(2);
  expect(draw.mock.calls).toEqual([[1], [2]]);
  stop();
  expect(frames.size).toBe(0);
  setHidden(false);
  expect(frames.size).toBe(0);
});

test("a hidden page does not even ask for a repaint", () => {
  const draw = vi.fn();
  const stop = animate(draw);
  setHidden(true);
  expect(frames.size).toBe(0);
  setHidden(false);
  repaint(3);
  expect(draw.mock.calls).toEqual([[3]]);
  expect(frames.size).toBe(1);
  stop();
});

test("a page that starts hidden does nothing until it is shown", () => {
  hidden = true;
  const stop = animate(vi.fn());
  expect(frames.size).toBe(0);
  setHidden(false);
  expect(frames.size).toBe(1);
  stop();
});

/** A canvas of ten columns; records the rectangles with their colours. */
function fakeContext() {
  const rectangles: [string, number, number, number, number][] = [];
  const context = {
    canvas: { clientWidth: 40, clientHeight: 22, width: 0, height: 0 },
    fillStyle: "",
    setTransform: vi.fn(),
    clearRect: () => rectangles.splice(0),
    fillRect: (...box: [number, number, number, number]) => rectangles.push([context.fillStyle, ...box]),
  };
  return { context: context as unknown as CanvasRenderingContext2D, rectangles };
}

const COLOURS = () => ({ caller: "green", agent: "blue" });

test("the caller is drawn above the line and the agent below it, the newest at the right edge", () => {
  const { context, rectangles } = fakeContext();
  painter(context, () => ({ caller: 0.5, agent: 1 }), COLOURS)(0);
  expect(rectangles).toHaveLength(20);
  expect(rectangles.at(9)).toEqual(["green", 36, 6, 2, 5]);
  expect(rectangles.at(19)).toEqual(["blue", 36, 11, 2, 10]);
  expect(rectangles.at(0)).toEqual(["green", 0, 10, 2, 1]);
});

test("the picture moves by one column in each period", () => {
  const { context, rectangles } = fakeContext();
  let level = 1;
  const paint = painter(context, () => ({ caller: level, agent: 0 }), COLOURS);
  paint(0);
  level = 0;
  paint(COLUMN_MS);
  expect(rectangles.slice(8, 10).map(([, x, , , height]) => [x, height])).toEqual([
    [32, 10],
    [36, 1],
  ]);
});

test("with reduced motion nothing scrolls: two meters, twice a second", () => {
  reduced = true;
  const { context, rectangles } = fakeContext();
  const levels = vi.fn(() => ({ caller: 0.5, agent: 1 }));
  const paint = painter(context, levels, COLOURS);
  for (let now = 0; now < 1000; now += 100) paint(now);
  expect(levels).toHaveBeenCalledTimes(2);
  expect(rectangles.map(([colour, x, , width]) => [colour, x, width])).toEqual([
    ["green", 0, 20],
    ["blue", 0, 40],
  ]);
});
