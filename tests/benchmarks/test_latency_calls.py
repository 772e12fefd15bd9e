from __future__ import annotations

import json

import pytest

from agent_worker.room.topics import TURN_TOPIC
from benchmarks.harness.clips import UTTERANCES
from benchmarks.harness.simulation import ANSWER_HZ, PRERESPONSE_HZ
from benchmarks.latency.calls import rows_of
from caller import AgentTranscript, CallerTranscript, Recording, Segment, TopicText, Turn
from tests.benchmarks.test_latency_tones import frames, silence, tone


def turn(first_sent: float, heard: list[Segment], *texts_at: float, said: str = UTTERANCES[0]) -> Turn:
    last_sent = first_sent + 1.0
    first_heard = next((segment.start for segment in heard if segment.start > last_sent), None)
    return Turn(
        said="clip.wav",
        first_sent=first_sent,
        last_sent=last_sent,
        first_heard=first_heard,
        response_gap=None if first_heard is None else first_heard - last_sent,
        heard=heard,
        caller_transcripts=[CallerTranscript("u", said)],
        agent_transcripts=[AgentTranscript(str(at), "text", at, at) for at in texts_at],
        texts=[TopicText(TURN_TOPIC, json.dumps({"turn": 1}), 20.0)],
    )


def test_gaps_of_a_simulated_voice_are_taken_from_its_tones() -> None:
    recording = Recording()
    for at, pcm in frames(silence(1.6), tone(PRERESPONSE_HZ, 0.5), silence(0.1), tone(ANSWER_HZ, 0.5), silence(0.2)):
        recording.add(at, pcm)
    (row,) = rows_of([turn(10.0, [Segment(11.6, 12.7)])], recording)
    assert row.response_gap == pytest.approx(0.6)
    assert row.answer_gap == pytest.approx(1.2, abs=0.01)
    assert row.inter_segment_gap == pytest.approx(0.1, abs=0.01)
    assert (row.preresponse, row.failure, row.misheard, row.records) == (True, None, None, [{"turn": 1}])


def test_remainder_of_the_previous_answer_is_ignored() -> None:
    recording = Recording()
    for at, pcm in frames(tone(ANSWER_HZ, 0.4), silence(1.2), tone(PRERESPONSE_HZ, 0.5), tone(ANSWER_HZ, 0.5)):
        recording.add(at, pcm)
    (row,) = rows_of([turn(10.0, [Segment(10.0, 10.4), Segment(11.6, 12.6)])], recording)
    assert row.answer_gap == pytest.approx(1.1, abs=0.01)


def test_turn_without_reply_or_without_answer_is_a_failure() -> None:
    recording = Recording()
    for at, pcm in frames(silence(1.6), tone(PRERESPONSE_HZ, 0.5), silence(1.0)):
        recording.add(at, pcm)
    only_preresponse, nothing = rows_of([turn(10.0, [Segment(11.6, 12.1)]), turn(12.5, [], said="Hm.")], recording)
    assert (only_preresponse.failure, only_preresponse.response_gap) == ("no answer", pytest.approx(0.6))
    assert (nothing.failure, nothing.misheard) == ("no reply", "Hm.")


@pytest.mark.parametrize(
    ("heard", "answer_gap", "gap"),
    [
        ([Segment(11.6, 12.2), Segment(12.6, 14.0)], 1.6, 0.4),
        ([Segment(11.6, 14.0)], 1.55, 0.0),
    ],
)
def test_gaps_of_a_real_voice_are_taken_from_its_transcripts(
    heard: list[Segment], answer_gap: float, gap: float
) -> None:
    (row,) = rows_of([turn(10.0, heard, 11.58, 12.55)], None)
    assert row.answer_gap == pytest.approx(answer_gap)
    assert row.inter_segment_gap == pytest.approx(gap)
    assert row.preresponse


def test_real_voice_without_preresponse_has_equal_gaps() -> None:
    (row,) = rows_of([turn(10.0, [Segment(11.6, 14.0)], 11.58)], None)
    assert row.answer_gap == row.response_gap == pytest.approx(0.6)
    assert not row.preresponse
