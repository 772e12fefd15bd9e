"""A scripted conversation with an agent: speak sentences, and compare what was understood."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jiwer

from agent_worker.room.topics import SET_STRATEGY, TURN_TOPIC
from caller import CallOptions, CallReport, Text, Turn, call
from testbed.services import API_KEY, API_SECRET, Ports

MAX_WORD_ERROR_RATE = 0.2

_NORMALISE = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.RemovePunctuation(),  # type: ignore[no-untyped-call]
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


@dataclass(frozen=True)
class TurnResult:
    """One turn of the conversation.

    Attributes:
        said: What the caller said.
        heard: Its transcript.
        word_error_rate: Word errors in the transcript per word said.
        preresponse: What was spoken before the answer, if anything.
        answer: What was answered.
        response_gap: Seconds from the caller's last audible sample to the agent's first.
        answer_gap: The same to the first sample of the answer.
        outcome: What became of the pre-response: see ``telemetry.trace.OUTCOMES``.
        barge_in: Whether the caller spoke over the reply to the turn before.
    """

    said: str
    heard: str
    word_error_rate: float
    preresponse: str | None
    answer: str
    response_gap: float | None
    answer_gap: float | None
    outcome: str | None = None
    barge_in: bool = False

    @property
    def ok(self) -> bool:
        """Whether the caller was understood and heard a reply."""
        return self.response_gap is not None and self.word_error_rate < MAX_WORD_ERROR_RATE


def word_error_rate(said: str | list[str], heard: str | list[str]) -> float:
    """Return word errors per word said, ignoring case and punctuation."""
    return float(jiwer.wer(said, heard, reference_transform=_NORMALISE, hypothesis_transform=_NORMALISE))


async def converse(
    ports: Ports,
    room: str,
    sentences: Sequence[str | Text],
    on_turn: Callable[[TurnResult], None],
    strategy: str | None = None,
) -> tuple[list[TurnResult], CallReport]:
    """Say the sentences to the agent in ``room``, and wait for the reply to each.

    Args:
        ports: Where LiveKit server and the caller's voice listen.
        room: A room that does not exist yet.
        sentences: One turn each.
        on_turn: Called with each turn as it ends.
        strategy: The strategy of the pre-response, chosen by the caller. ``None``: the worker's.
    """
    utterances = [Text(sentence) if isinstance(sentence, str) else sentence for sentence in sentences]
    results = TurnResults(utterances, on_turn)
    options = CallOptions(
        url=ports.livekit_url,
        room=room,
        api_key=API_KEY,
        api_secret=API_SECRET,
        utterances=utterances,
        topics=[TURN_TOPIC],
        procedures=[(SET_STRATEGY, strategy)] if strategy else [],
        speech_url=ports.models_url,
        greeting_wait=15,
    )
    report = await call(options, on_turn=results.add)
    return results.turns, report


class TurnResults:
    """Makes results of turns. The record of a reply that the caller interrupts arrives in the turn after it."""

    def __init__(self, utterances: Sequence[Text], on_turn: Callable[[TurnResult], None]) -> None:
        self.turns: list[TurnResult] = []
        self._utterances = utterances
        self._on_turn = on_turn
        self._waiting: Turn | None = None
        self._ended = 0

    def add(self, turn: Turn) -> None:
        """Take the next turn; report it, unless the caller is about to speak over its reply."""
        self._ended += 1
        following = self._utterances[self._ended : self._ended + 1]
        if following and following[0].over_reply_after is not None:
            self._waiting = turn
            return
        records = _records(turn)
        if before := self._waiting:
            self._waiting = None
            own = _records(before)
            interrupted = next((i for i, record in enumerate(records) if record["interrupted"]), None)
            count = interrupted + 1 if not own and interrupted is not None else 0
            self._emit(_turn_result(before, own + records[:count]))
            records = records[count:]
        self._emit(_turn_result(turn, records))

    def _emit(self, result: TurnResult) -> None:
        self.turns.append(result)
        self._on_turn(result)


def _records(turn: Turn) -> list[dict[str, Any]]:
    return [json.loads(text.text) for text in turn.texts if text.topic == TURN_TOPIC]


def _turn_result(turn: Turn, records: Sequence[dict[str, Any]]) -> TurnResult:
    preresponse = " ".join(record["preresponse"] for record in records if record["preresponse"]) or None
    return TurnResult(
        said=turn.said,
        heard=turn.understood,
        word_error_rate=word_error_rate(turn.said, turn.understood),
        preresponse=preresponse,
        answer=" ".join(record["answer"] for record in records),
        response_gap=turn.response_gap,
        answer_gap=_answer_gap(turn) if preresponse else turn.response_gap,
        outcome=records[-1]["preresponse_outcome"] if records else None,
        barge_in=turn.barge_in,
    )


def _answer_gap(turn: Turn) -> float | None:
    """Return the seconds from the caller's last sample to the first audible one of the segment after the pre-response.

    LiveKit sends the text of a segment while it is played: the answer is the audible stretch that began nearest to the
    arrival of its text; or it began with its text, if no silence parts it from the pre-response.
    """
    if len(turn.agent_transcripts) < 2 or not turn.heard:
        return None
    text_at = turn.agent_transcripts[1].first_at
    start = min((stretch.start for stretch in turn.heard), key=lambda start: abs(start - text_at))
    is_part_of_preresponse = turn.first_heard is not None and start <= turn.first_heard
    return (text_at if is_part_of_preresponse else start) - turn.last_sent
