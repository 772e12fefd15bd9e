/** Latency waterfall of a turn. */

import type { TurnRecord } from "./generated/turn-record";

export const STAGES = {
  stt: "STT",
  end_of_turn: "End of turn",
  fast_model: "Fast model",
  preresponse_tts: "TTS, pre-response",
  main_model: "Main model",
  answer_tts: "TTS, answer",
  preresponse: "Pre-response",
  answer: "Answer",
} as const;

export type Stage = keyof typeof STAGES;

/** A stage, in seconds after the caller's last voice. */
export interface Bar {
  stage: Stage;
  from: number;
  to: number;
}

export interface Waterfall {
  bars: Bar[];
  /** The range shown, in seconds; longer speech is cut at the end. */
  start: number;
  end: number;
}

/** Length of speech that is always shown. */
const SHOWN_SPEECH_S = 0.6;

export function waterfall({ instants: at, preresponse_source }: TurnRecord): Waterfall {
  const bars: Bar[] = [];
  const add = (stage: Stage, from: number | null, to: number | null) => {
    if (from !== null && to !== null && to >= from) bars.push({ stage, from, to });
  };
  add("stt", at.last_voice, at.stt_final);
  add("end_of_turn", at.stt_final ?? at.last_voice, at.end_of_turn);
  // With a phrase, the fast model may have been asked, but its reply was not used.
  if (preresponse_source !== "phrase") add("fast_model", at.fast_request, at.fast_first_token);
  add("preresponse_tts", at.fast_first_token ?? at.fast_request, at.fast_first_audio);
  add("main_model", at.main_request, at.main_first_token);
  add("answer_tts", at.main_first_token, at.main_first_audio);
  add("preresponse", at.preresponse_start, at.preresponse_end ?? at.interruption);
  add("answer", at.answer_start, at.answer_end ?? at.interruption);
  return { bars, ...span(bars) };
}

function span(bars: readonly Bar[]): { start: number; end: number } {
  const start = Math.min(0, ...bars.map((bar) => bar.from));
  const speech = bars.filter(isSpeech);
  const ends = bars.filter((bar) => !isSpeech(bar)).map((bar) => bar.to);
  const last = Math.max(0, ...ends, ...speech.map((bar) => Math.min(bar.to, bar.from + SHOWN_SPEECH_S)));
  return { start, end: Math.max(last, start + 0.1) };
}

export function isSpeech(bar: Bar): boolean {
  return bar.stage === "preresponse" || bar.stage === "answer";
}

/** Return up to about five round values for the axis. */
export function axisTicks({ start, end }: Pick<Waterfall, "start" | "end">): number[] {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((size) => (end - start) / size <= 5) ?? 60;
  const first = Math.ceil(start / step - 1e-9);
  const count = Math.floor(end / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toFixed(3)));
}
