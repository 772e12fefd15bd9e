"""Which turn a record belongs to when the caller interrupts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_worker.room.topics import TURN_TOPIC
from caller import AgentTranscript, Segment, Text, TopicText, Turn
from testbed.conversation import TurnResult, TurnResults

OVER = Text("Who should I call?", over_reply_after=4.0)


def record(answer: str, *, interrupted: bool = False) -> dict[str, Any]:
    return {"answer": answer, "interrupted": interrupted, "preresponse": None, "preresponse_outcome": "spoken"}


def turn(said: str, *records: dict[str, Any], barge_in: bool = False) -> Turn:
    texts = [TopicText(TURN_TOPIC, json.dumps(each), 0.0) for each in records]
    return Turn(said, 0.0, 1.0, barge_in=barge_in, texts=texts)


def results_of(*turns: Turn, following: Text) -> list[TurnResult]:
    results = TurnResults([Text("What can I try?"), following], lambda _: None)
    for each in turns:
        results.add(each)
    return results.turns


def test_record_of_an_interrupted_reply_belongs_to_the_turn_before() -> None:
    first, second = results_of(
        turn("What can I try?"),
        turn(OVER.text, record("Try the cable", interrupted=True), record("Your provider."), barge_in=True),
        following=OVER,
    )
    assert (first.answer, second.answer) == ("Try the cable", "Your provider.")
    assert (first.barge_in, second.barge_in) == (False, True)


def test_reply_that_ended_before_it_could_be_interrupted_keeps_its_record() -> None:
    first, second = results_of(
        turn("What can I try?", record("Try the cable.")), turn(OVER.text, record("Your provider.")), following=OVER
    )
    assert (first.answer, second.answer) == ("Try the cable.", "Your provider.")


def test_turn_is_reported_at_once_unless_the_next_one_interrupts_it() -> None:
    seen: list[TurnResult] = []
    results = TurnResults([Text("One."), Text("Two."), OVER], seen.append)
    results.add(turn("One.", record("Answer.")))
    assert [result.answer for result in seen] == ["Answer."]
    results.add(turn("Two."))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("heard", "answer_gap"),
    [
        ([Segment(2.0, 3.0), Segment(5.1, 7.0)], 4.1),  # a silence in between
        ([Segment(2.0, 7.0)], 2.2),  # none: the text of the answer came at 3.2 s
        ([Segment(0.1, 1.1), Segment(2.0, 7.0)], 2.2),  # the rest of an earlier reply in front
    ],
)
def test_answer_begins_after_the_preresponse(heard: list[Segment], answer_gap: float) -> None:
    text_at = 5.0 if len(heard) == 2 and heard[0].start == 2.0 else 3.2
    replied = Turn("One.", 0.0, 1.0, first_heard=2.0, response_gap=1.0, heard=heard)
    replied.agent_transcripts = [
        AgentTranscript("a", "Let me think.", 2.1, 2.5),
        AgentTranscript("b", "Try the cable.", text_at, 6.0),
    ]
    replied.texts = [TopicText(TURN_TOPIC, json.dumps({**record("Try the cable."), "preresponse": "Let me think."}), 0)]
    results = TurnResults([Text("One.")], lambda _: None)
    results.add(replied)
    assert results.turns[0].answer_gap == pytest.approx(answer_gap)
