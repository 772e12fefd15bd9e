/** What the worker sends to the room: its topics, attributes and turn records (docs/turns.md). */

export const TURN_TOPIC = "agent_worker.turn";
export const PRERESPONSE_TOPIC = "agent_worker.preresponse";
export const STRATEGY_ATTRIBUTE = "agent_worker.strategy";
export const METRICS_ATTRIBUTE = "agent_worker.metrics";
export const SET_STRATEGY = "agent_worker.set_strategy";

export const INSTANTS = [
  "last_voice",
  "stt_final",
  "end_of_turn",
  "fast_request",
  "fast_first_token",
  "fast_first_audio",
  "main_request",
  "main_first_token",
  "main_first_audio",
  "preresponse_start",
  "preresponse_end",
  "answer_start",
  "answer_end",
  "interruption",
] as const;

/** Seconds after the caller's last voice; `null` where it did not happen. */
export type Instants = Record<(typeof INSTANTS)[number], number | null>;

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  stt_seconds: number;
  tts_characters: number;
  cost_usd: number;
}

export interface TurnRecord {
  turn: number;
  strategy: string | null;
  kind: string | null;
  caller: string | null;
  preresponse: string | null;
  preresponse_source: string | null;
  preresponse_outcome: string | null;
  answer: string;
  interrupted: boolean;
  transcription_delay: number | null;
  end_of_turn_delay: number | null;
  response_gap: number | null;
  answer_gap: number | null;
  instants: Instants;
  /** Of the whole call so far. */
  usage: Usage | null;
}

export interface Preresponse {
  text: string;
  source: string;
}

type Json = Record<string, unknown>;

/** A turn record out of what the room sent, or `null` if it is none: another program may use the topic. */
export function parseTurn(text: string): TurnRecord | null {
  const json = parseObject(text);
  if (!json || typeof json.turn !== "number") return null;
  const instants = asObject(json.instants) ?? {};
  return {
    turn: json.turn,
    strategy: asText(json.strategy),
    kind: asText(json.kind),
    caller: asText(json.caller),
    preresponse: asText(json.preresponse),
    preresponse_source: asText(json.preresponse_source),
    preresponse_outcome: asText(json.preresponse_outcome),
    answer: asText(json.answer) ?? "",
    interrupted: json.interrupted === true,
    transcription_delay: asNumber(json.transcription_delay),
    end_of_turn_delay: asNumber(json.end_of_turn_delay),
    response_gap: asNumber(json.response_gap),
    answer_gap: asNumber(json.answer_gap),
    instants: Object.fromEntries(INSTANTS.map((name) => [name, asNumber(instants[name])])) as Instants,
    usage: parseUsage(json.usage),
  };
}

export function parsePreresponse(text: string): Preresponse | null {
  const json = parseObject(text);
  return typeof json?.text === "string" && json.text ? { text: json.text, source: asText(json.source) ?? "" } : null;
}

function parseUsage(value: unknown): Usage | null {
  const json = asObject(value);
  return (
    json && {
      prompt_tokens: asNumber(json.prompt_tokens) ?? 0,
      completion_tokens: asNumber(json.completion_tokens) ?? 0,
      stt_seconds: asNumber(json.stt_seconds) ?? 0,
      tts_characters: asNumber(json.tts_characters) ?? 0,
      cost_usd: asNumber(json.cost_usd) ?? 0,
    }
  );
}

function parseObject(text: string): Json | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}

function asObject(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function asNumber(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function asText(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
