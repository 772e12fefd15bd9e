import type { TurnRecord, TurnTimestamps } from "../src/generated/turn-record";
import { parseTurn } from "../src/records";

const EMPTY = parseTurn('{"turn": 1}') as TurnRecord;

export function instants(some: Partial<TurnTimestamps> = {}): TurnTimestamps {
  return { ...EMPTY.instants, ...some };
}

/** A turn as it is with phrases: something at once, the answer later. */
export function turn(some: Partial<TurnRecord> = {}): TurnRecord {
  return {
    turn: 2,
    strategy: "phrase",
    kind: "question",
    caller: "What is the best way to learn how to cook?",
    preresponse: "Let me think about that.",
    preresponse_source: "phrase",
    preresponse_move: "consent",
    preresponse_outcome: "spoken",
    answer: "Start with simple recipes.",
    interrupted: false,
    transcription_delay: 0.2,
    end_of_turn_delay: 0.45,
    response_gap: 0.53,
    answer_gap: 1.9,
    instants: instants({
      last_voice: 0,
      stt_final: 0.2,
      end_of_turn: 0.45,
      fast_first_audio: 0.21,
      main_request: 0.2,
      main_first_token: 0.8,
      main_first_audio: 1.1,
      preresponse_start: 0.53,
      preresponse_end: 1.88,
      answer_start: 1.9,
      answer_end: 4,
    }),
    backchannels: 0,
    time: "2026-11-30T06:33:00.000Z",
    call: { id: "call-12ab", room: "call-12ab", worker: null, version: null, trace_id: null },
    usage: {
      prompt_tokens: 310,
      completion_tokens: 42,
      reasoning_tokens: 0,
      stt_seconds: 6.5,
      tts_characters: 120,
      cost_usd: 0.0061,
    },
    ...some,
  };
}
