// Written by `make reference` from docs/turn-record.schema.json.

/**
 * One turn: the caller's words and the agent's reply. Seconds; ``None`` where there is nothing to measure.
 */
export interface TurnRecord {
  /**
   * Counts from 1 in each call; the greeting is a turn without a caller.
   */
  turn: number;
  strategy: string | null;
  /**
   * What the caller's words are, as judged for the pre-response.
   */
  kind: string | null;
  caller: string | null;
  preresponse: string | null;
  /**
   * ``llm`` or ``phrase``.
   */
  preresponse_source: string | null;
  /**
   * ``spoken``, ``interrupted``, or why there was none: one of ``agent_worker.preresponse.OUTCOMES``.
   */
  preresponse_outcome: string | null;
  answer: string;
  /**
   * Whether the caller cut the reply off, or spoke on before it began.
   */
  interrupted: boolean;
  transcription_delay: number | null;
  end_of_turn_delay: number | null;
  /**
   * Caller's last voice to the agent's first audio.
   */
  response_gap: number | null;
  /**
   * Caller's last voice to the first audio of the main model's answer.
   */
  answer_gap: number | null;
  instants: TurnTimestamps;
  /**
   * Of the whole call, this turn included.
   */
  usage: Usage | null;
}
/**
 * When what happened, in seconds after ``last_voice``, all from one monotonic clock; ``None`` if it did not.
 *
 * Without a caller's voice, as in a greeting or for text input, they count from the first instant there is.
 */
export interface TurnTimestamps {
  /**
   * The end of the caller's last sound (:class:`agent_worker.turn_taking.audio_input.SpeechEndTracker`).
   */
  last_voice: number | null;
  stt_final: number | null;
  /**
   * The decision that the caller has finished.
   */
  end_of_turn: number | null;
  fast_request: number | null;
  fast_first_token: number | null;
  /**
   * First audio of the pre-response, whatever it comes from.
   */
  fast_first_audio: number | null;
  main_request: number | null;
  main_first_token: number | null;
  main_first_audio: number | null;
  /**
   * Playout begins: the first frame goes to LiveKit.
   */
  preresponse_start: number | null;
  preresponse_end: number | null;
  answer_start: number | null;
  answer_end: number | null;
  /**
   * Playout ends because the caller spoke.
   */
  interruption: number | null;
}
/**
 * What a call has used so far, and what that costs by ``agent_worker.telemetry.pricing``.
 */
export interface Usage {
  /**
   * Of both models, as are the completion tokens.
   */
  prompt_tokens: number;
  completion_tokens: number;
  stt_seconds: number;
  tts_characters: number;
  cost_usd: number;
}

export const TURN_RECORD_SCHEMA = {"$defs":{"TurnTimestamps":{"properties":{"last_voice":{"anyOf":[{"type":"number"},{"type":"null"}]},"stt_final":{"anyOf":[{"type":"number"},{"type":"null"}]},"end_of_turn":{"anyOf":[{"type":"number"},{"type":"null"}]},"fast_request":{"anyOf":[{"type":"number"},{"type":"null"}]},"fast_first_token":{"anyOf":[{"type":"number"},{"type":"null"}]},"fast_first_audio":{"anyOf":[{"type":"number"},{"type":"null"}]},"main_request":{"anyOf":[{"type":"number"},{"type":"null"}]},"main_first_token":{"anyOf":[{"type":"number"},{"type":"null"}]},"main_first_audio":{"anyOf":[{"type":"number"},{"type":"null"}]},"preresponse_start":{"anyOf":[{"type":"number"},{"type":"null"}]},"preresponse_end":{"anyOf":[{"type":"number"},{"type":"null"}]},"answer_start":{"anyOf":[{"type":"number"},{"type":"null"}]},"answer_end":{"anyOf":[{"type":"number"},{"type":"null"}]},"interruption":{"anyOf":[{"type":"number"},{"type":"null"}]}},"type":"object"},"Usage":{"properties":{"prompt_tokens":{"type":"integer"},"completion_tokens":{"type":"integer"},"stt_seconds":{"type":"number"},"tts_characters":{"type":"integer"},"cost_usd":{"type":"number"}},"type":"object"}},"properties":{"turn":{"type":"integer"},"strategy":{"anyOf":[{"type":"string"},{"type":"null"}]},"kind":{"anyOf":[{"type":"string"},{"type":"null"}]},"caller":{"anyOf":[{"type":"string"},{"type":"null"}]},"preresponse":{"anyOf":[{"type":"string"},{"type":"null"}]},"preresponse_source":{"anyOf":[{"type":"string"},{"type":"null"}]},"preresponse_outcome":{"anyOf":[{"type":"string"},{"type":"null"}]},"answer":{"type":"string"},"interrupted":{"type":"boolean"},"transcription_delay":{"anyOf":[{"type":"number"},{"type":"null"}]},"end_of_turn_delay":{"anyOf":[{"type":"number"},{"type":"null"}]},"response_gap":{"anyOf":[{"type":"number"},{"type":"null"}]},"answer_gap":{"anyOf":[{"type":"number"},{"type":"null"}]},"instants":{"$ref":"#/$defs/TurnTimestamps"},"usage":{"anyOf":[{"$ref":"#/$defs/Usage"},{"type":"null"}]}},"type":"object"};
