// Written by `make reference` from docs/turn-record.schema.json.

/**
 * One turn: the caller's words and the agent's reply. Times are seconds; ``None`` where nothing was measured.
 */
export interface TurnRecord {
  /**
   * Counts from 1 in each call; the greeting is a turn without a caller.
   */
  turn: number;
  /**
   * Strategy in force, or ``off``.
   */
  strategy: string | null;
  /**
   * Intent of the caller's words (``text.intent.Intent``).
   */
  kind: string | null;
  /**
   * Transcript of the caller.
   */
  caller: string | null;
  /**
   * The pre-response and the fillers as far as they were spoken.
   */
  preresponse: string | null;
  /**
   * ``llm``, ``phrase``, ``filler`` if there was only a filler, or a custom strategy's word.
   */
  preresponse_source: string | null;
  /**
   * What the pre-response does (``text.move.Move``), such as ``consent``; ``None`` if that is not known.
   */
  preresponse_move: string | null;
  /**
   * ``spoken``, ``interrupted``, or why there was none: one of ``telemetry.trace.OUTCOMES``.
   */
  preresponse_outcome: string | null;
  /**
   * The answer as far as it was spoken.
   */
  answer: string;
  /**
   * Whether the caller interrupted the reply, or spoke on before it began.
   */
  interrupted: boolean;
  /**
   * Caller's last voice to the final transcript.
   */
  transcription_delay: number | null;
  /**
   * Caller's last voice to the decision that the turn has ended.
   */
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
   * Listener's sounds of the agent ("mm-hm") before the caller had finished.
   */
  backchannels: number;
  /**
   * Wall clock at instant 0, UTC, in ISO 8601; ``None`` without instants.
   */
  time: string | null;
  /**
   * The call, and what ran it.
   */
  call: CallIdentity | null;
  /**
   * Usage of the call; ``None`` for a caller who may not see it (``CALLERS_SEE_USAGE``).
   */
  usage: Usage | null;
}
/**
 * When each event happened.
 */
export interface TurnTimestamps {
  /**
   * End of the caller's last sound (``turn_taking.audio_input.SpeechEndTracker``).
   */
  last_voice: number | null;
  /**
   * Final transcript.
   */
  stt_final: number | null;
  /**
   * Decision that the caller has finished.
   */
  end_of_turn: number | null;
  /**
   * Request to the fast model.
   */
  fast_request: number | null;
  /**
   * First token of the fast model.
   */
  fast_first_token: number | null;
  /**
   * First audio of the pre-response, whatever its source.
   */
  fast_first_audio: number | null;
  /**
   * Request to the main model.
   */
  main_request: number | null;
  /**
   * First token of the main model.
   */
  main_first_token: number | null;
  /**
   * First audio of the answer.
   */
  main_first_audio: number | null;
  /**
   * Playout of the pre-response begins: its first frame goes to LiveKit.
   */
  preresponse_start: number | null;
  /**
   * Playout of the pre-response, and of the fillers before the answer, ends.
   */
  preresponse_end: number | null;
  /**
   * Playout of the answer begins.
   */
  answer_start: number | null;
  /**
   * Playout of the answer ends.
   */
  answer_end: number | null;
  /**
   * Playout ends because the caller spoke.
   */
  interruption: number | null;
}
/**
 * Which call a turn belongs to, and what ran it.
 */
export interface CallIdentity {
  /**
   * Id of the call: the name of the room if the page made it, which the page shows; otherwise LiveKit's id of it.
   */
  id: string;
  /**
   * Name of the room.
   */
  room: string;
  /**
   * Host name of the worker; in a container, that of the container or pod. ``None`` in the caller's copy.
   */
  worker: string | null;
  /**
   * Version of the worker (``AGENT_WORKER_VERSION``). ``None`` in the caller's copy.
   */
  version: string | null;
  /**
   * Id of the call's OpenTelemetry trace, 32 hexadecimal digits. ``None`` without one, and in the caller's copy.
   */
  trace_id: string | null;
}
/**
 * What the whole call has used so far, this turn included.
 */
export interface Usage {
  /**
   * Tokens of both models' prompts.
   */
  prompt_tokens: number;
  /**
   * Tokens of both models' completions.
   */
  completion_tokens: number;
  /**
   * Those of the completion tokens that were reasoning, which nobody hears.
   */
  reasoning_tokens: number;
  /**
   * Billed speech recognition, seconds of audio.
   */
  stt_seconds: number;
  /**
   * Characters sent to speech synthesis.
   */
  tts_characters: number;
  /**
   * Cost at the current prices (docs/costs.md), US dollars.
   */
  cost_usd: number;
}

export const TURN_RECORD_SCHEMA = {"$defs":{"CallIdentity":{"properties":{"id":{"type":"string"},"room":{"type":"string"},"worker":{"anyOf":[{"type":"string"},{"type":"null"}]},"version":{"anyOf":[{"type":"string"},{"type":"null"}]},"trace_id":{"anyOf":[{"type":"string"},{"type":"null"}]}},"type":"object"},"TurnTimestamps":{"properties":{"last_voice":{"anyOf":[{"type":"number"},{"type":"null"}]},"stt_final":{"anyOf":[{"type":"number"},{"type":"null"}]},"end_of_turn":{"anyOf":[{"type":"number"},{"type":"null"}]},"fast_request":{"anyOf":[{"type":"number"},{"type":"null"}]},"fast_first_token":{"anyOf":[{"type":"number"},{"type":"null"}]},"fast_first_audio":{"anyOf":[{"type":"number"},{"type":"null"}]},"main_request":{"anyOf":[{"type":"number"},{"type":"null"}]},"main_first_token":{"anyOf":[{"type":"number"},{"type":"null"}]},"main_first_audio":{"anyOf":[{"type":"number"},{"type":"null"}]},"preresponse_start":{"anyOf":[{"type":"number"},{"type":"null"}]},"preresponse_end":{"anyOf":[{"type":"number"},{"type":"null"}]},"answer_start":{"anyOf":[{"type":"number"},{"type":"null"}]},"answer_end":{"anyOf":[{"type":"number"},{"type":"null"}]},"interruption":{"anyOf":[{"type":"number"},{"type":"null"}]}},"type":"object"},"Usage":{"properties":{"prompt_tokens":{"type":"integer"},"completion_tokens":{"type":"integer"},"reasoning_tokens":{"type":"integer"},"stt_seconds":{"type":"number"},"tts_characters":{"type":"integer"},"cost_usd":{"type":"number"}},"type":"object"}},"properties":{"turn":{"type":"integer"},"strategy":{"anyOf":[{"type":"string"},{"type":"null"}]},"kind":{"anyOf":[{"type":"string"},{"type":"null"}]},"caller":{"anyOf":[{"type":"string"},{"type":"null"}]},"preresponse":{"anyOf":[{"type":"string"},{"type":"null"}]},"preresponse_source":{"anyOf":[{"type":"string"},{"type":"null"}]},"preresponse_move":{"anyOf":[{"type":"string"},{"type":"null"}]},"preresponse_outcome":{"anyOf":[{"type":"string"},{"type":"null"}]},"answer":{"type":"string"},"interrupted":{"type":"boolean"},"transcription_delay":{"anyOf":[{"type":"number"},{"type":"null"}]},"end_of_turn_delay":{"anyOf":[{"type":"number"},{"type":"null"}]},"response_gap":{"anyOf":[{"type":"number"},{"type":"null"}]},"answer_gap":{"anyOf":[{"type":"number"},{"type":"null"}]},"instants":{"$ref":"#/$defs/TurnTimestamps"},"backchannels":{"type":"integer"},"time":{"anyOf":[{"type":"string"},{"type":"null"}]},"call":{"anyOf":[{"$ref":"#/$defs/CallIdentity"},{"type":"null"}]},"usage":{"anyOf":[{"$ref":"#/$defs/Usage"},{"type":"null"}]}},"type":"object"};
