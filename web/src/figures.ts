/** Statistics over the turns of a call, and formatting of numbers. */

import type { TurnRecord, Usage } from "./generated/turn-record";

export interface Percentiles {
  count: number;
  p50: number;
  p95: number;
}

/** Interpolate linearly between the two nearest values, as numpy does by default; `null` without values. */
export function percentiles(values: readonly (number | null)[]): Percentiles | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (!sorted.length) return null;
  return { count: sorted.length, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) };
}

function quantile(sorted: readonly number[], fraction: number): number {
  const rank = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(rank)] ?? 0;
  const above = sorted[Math.ceil(rank)] ?? below;
  return below + (above - below) * (rank % 1);
}

/** Add up the usage of a call: each turn has the total of its agent so far. */
export function totalUsage(turns: readonly { agent: string; record: TurnRecord }[]): Usage | null {
  const latest = new Map<string, Usage>();
  for (const { agent, record } of turns) if (record.usage) latest.set(agent, record.usage);
  if (!latest.size) return null;
  const sum = (name: keyof Usage) => [...latest.values()].reduce((total, usage) => total + usage[name], 0);
  return {
    prompt_tokens: sum("prompt_tokens"),
    completion_tokens: sum("completion_tokens"),
    reasoning_tokens: sum("reasoning_tokens"),
    stt_seconds: sum("stt_seconds"),
    tts_characters: sum("tts_characters"),
    cost_usd: sum("cost_usd"),
  };
}

/** Format seconds as "380 ms" below one second and as "6.4 s" from there on; a dash without a value. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null) return "–";
  const milliseconds = Math.round(seconds * 1000);
  return Math.abs(milliseconds) < 1000 ? `${milliseconds} ms` : `${seconds.toFixed(1)} s`;
}

export function count(value: number): string {
  return new Intl.NumberFormat("en").format(Math.round(value));
}

/** Format with four digits below $1, as a turn costs a fraction of a cent. */
export function dollars(value: number): string {
  return `$${value.toFixed(value > 0 && value < 1 ? 4 : 2)}`;
}

/** Format seconds as "3:07". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
