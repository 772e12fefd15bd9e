"""A scripted conversation with an agent: speak sentences, and compare what was understood."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import jiwer

from agent_worker.room.topics import TURN_TOPIC
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
    """

    said: str
    heard: str
    word_error_rate: float
    preresponse: str | None
    answer: str
    response_gap: float | None
    answer_gap: float | None

    @property
    def ok(self) -> bool:
        """Whether the caller was understood and heard a reply."""
        return self.response_gap is not None and self.word_error_rate < MAX_WORD_ERROR_RATE


def word_error_rate(said: str | list[str], heard: str | list[str]) -> float:
    """Return word errors per word said, ignoring case and punctuation."""
    return float(jiwer.wer(said, heard, reference_transform=_NORMALISE, hypothesis_transform=_NORMALISE))


async def converse(
    ports: Ports, room: str, sentences: tuple[str, ...], on_turn: Callable[[TurnResult], None]
) -> tuple[list[TurnResult], CallReport]:
    """Say the sentences to the agent in ``room``, and wait for the reply to each."""
    results: list[TurnResult] = []

    def add(turn: Turn) -> None:
        results.append(_turn_result(turn))
        on_turn(results[-1])

    options = CallOptions(
        url=ports.livekit_url,
        room=room,
        api_key=API_KEY,
        api_secret=API_SECRET,
        utterances=[Text(sentence) for sentence in sentences],
        topics=[TURN_TOPIC],
        speech_url=ports.models_url,
        greeting_wait=15,
    )
    report = await call(options, on_turn=add)
    return results, report


def _turn_result(turn: Turn) -> TurnResult:
    records = [json.loads(text.text) for text in turn.texts if text.topic == TURN_TOPIC]
    preresponse = " ".join(record["preresponse"] for record in records if record["preresponse"]) or None
    return TurnResult(
        said=turn.said,
        heard=turn.understood,
        word_error_rate=word_error_rate(turn.said, turn.understood),
        preresponse=preresponse,
        answer=" ".join(record["answer"] for record in records),
        response_gap=turn.response_gap,
        answer_gap=_answer_gap(turn) if preresponse else turn.response_gap,
    )


def _answer_gap(turn: Turn) -> float | None:
    """Return the seconds from the caller's last sample to the first audible one of the segment after the pre-response.

    LiveKit sends the text of a segment while it is played: the answer is the audible stretch that began nearest to the
    arrival of its text.
    """
    if len(turn.agent_transcripts) < 2 or not turn.heard:
        return None
    text_at = turn.agent_transcripts[1].first_at
    return min((stretch.start for stretch in turn.heard), key=lambda start: abs(start - text_at)) - turn.last_sent
