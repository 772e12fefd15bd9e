/** Figures over the turns of a call, and how they are written. */

import type { TurnRecord, Usage } from "./generated/turn-record";

export interface Percentiles {
  count: number;
  p50: number;
  p95: number;
}

/** Linear interpolation between the two nearest values, as numpy's default; `null` without values. */
export function percentiles(values: readonly (number | null)[]): Percentiles | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (!sorted.length) return null;
  return { count: sorted.length, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) };
}

function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place % 1);
}

/** The usage of a call: each agent that took part reports its own sum with every turn. */
export function totalUsage(turns: readonly { agent: string; record: TurnRecord }[]): Usage | null {
  const latest = new Map<string, Usage>();
  for (const { agent, record } of turns) if (record.usage) latest.set(agent, record.usage);
  if (!latest.size) return null;
  const sum = (name: keyof Usage) => [...latest.values()].reduce((total, usage) => total + usage[name], 0);
  return {
    prompt_tokens: sum("prompt_tokens"),
    completion_tokens: sum("completion_tokens"),
    stt_seconds: sum("stt_seconds"),
    tts_characters: sum("tts_characters"),
    cost_usd: sum("cost_usd"),
  };
}

/** "0.53" and, without a value, a dash. */
export function seconds(value: number | null | undefined): string {
  return value == null ? "–" : value.toFixed(2);
}

export function milliseconds(value: number): string {
  return `${Math.round(value * 1000)} ms`;
}

export function count(value: number): string {
  return new Intl.NumberFormat("en").format(Math.round(value));
}

/** Small sums keep their digits: a turn costs a fraction of a cent. */
export function dollars(value: number): string {
  return `$${value.toFixed(value > 0 && value < 1 ? 4 : 2)}`;
}

/** "3:07" */
export function clock(total: number): string {
  const whole = Math.max(0, Math.floor(total));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
