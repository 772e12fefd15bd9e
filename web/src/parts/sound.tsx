import { useEffect, useRef } from "preact/hooks";
import { animate } from "../animation";
import type { Call } from "../call";
import { LevelHistory, type Levels, SILENCE } from "../levels";

/** Widths in CSS pixels. */
const COLUMN = 4;
const GAP = 2;

/** Interval between pictures for callers who prefer reduced motion. */
const STILL_MS = 500;

interface Colours {
  caller: string;
  agent: string;
}

/** The sound of the last seconds: the caller above the line, the agent below it. */
export function SoundPicture({ call }: { call: Call }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const caller = useRef<HTMLSpanElement>(null);
  const agent = useRef<HTMLSpanElement>(null);
  const on = call.phase.value === "on";
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!on || !context) return;
    const colours = () => ({ caller: colourOf(caller.current), agent: colourOf(agent.current) });
    return animate(painter(context, () => call.levels(), colours));
  }, [call, on]);
  return (
    <div class="sound">
      <p class="sound-names">
        <span ref={caller} class="sound-caller">
          You
        </span>
        <span ref={agent} class="sound-agent">
          Agent
        </span>
      </p>
      <canvas
        ref={canvas}
        data-testid="sound"
        role="img"
        aria-label="Sound of the last seconds, yours above the line and the agent's below it"
      />
    </div>
  );
}

function colourOf(element: HTMLElement | null): string {
  return element ? getComputedStyle(element).color : "";
}

/** Return a function that paints the picture of the moment `now`, in milliseconds. */
export function painter(
  context: CanvasRenderingContext2D,
  levels: () => Levels,
  colours: () => Colours,
): (now: number) => void {
  const history = new LevelHistory();
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  let paintedAt = Number.NEGATIVE_INFINITY;
  return (now) => {
    if (reduced.matches) {
      if (now - paintedAt < STILL_MS) return;
      paintedAt = now;
      clear(context);
      paintStill(context, levels(), colours());
    } else if (history.add(now, levels(), capacityOf(context))) {
      clear(context);
      paintHistory(context, history.columns, colours());
    }
  };
}

function capacityOf({ canvas }: CanvasRenderingContext2D): number {
  return Math.max(1, Math.floor(canvas.clientWidth / COLUMN));
}

/** Clear the canvas, and adapt it to the size and resolution at which it is shown. */
function clear(context: CanvasRenderingContext2D): void {
  const { canvas } = context;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((size) => Math.round(size * devicePixelRatio));
  if (width && height && (canvas.width !== width || canvas.height !== height)) {
    canvas.width = width;
    canvas.height = height;
  }
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
}

/** The newest column is at the right edge. */
function paintHistory(context: CanvasRenderingContext2D, columns: readonly Levels[], colours: Colours): void {
  const { clientWidth: width, clientHeight: height } = context.canvas;
  const missing = capacityOf(context) - columns.length;
  const all = [...Array.from({ length: missing }, () => SILENCE), ...columns];
  const bar = (level: number) => Math.max(1, level * (height / 2 - 1));
  for (const [side, top] of [
    ["caller", true],
    ["agent", false],
  ] as const) {
    context.fillStyle = colours[side];
    for (const [index, levels] of all.entries()) {
      const size = bar(levels[side]);
      const x = width - (all.length - index) * COLUMN;
      context.fillRect(x, top ? height / 2 - size : height / 2, COLUMN - GAP, size);
    }
  }
}

/** Two level meters, which do not scroll. */
function paintStill(context: CanvasRenderingContext2D, levels: Levels, colours: Colours): void {
  const { clientWidth: width, clientHeight: height } = context.canvas;
  context.fillStyle = colours.caller;
  context.fillRect(0, height * 0.18, Math.max(2, levels.caller * width), height * 0.2);
  context.fillStyle = colours.agent;
  context.fillRect(0, height * 0.62, Math.max(2, levels.agent * width), height * 0.2);
}
