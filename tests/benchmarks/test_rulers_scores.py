"""The scores of tau-voice and EVA give what their documentation says."""

from __future__ import annotations

import pytest

from benchmarks.latency.results import Results as LatencyResults
from benchmarks.rulers.report import of_people
from benchmarks.rulers.score import conversation_of
from benchmarks.rulers.scores import Conversation, Said, eva, latency_score, tau_voice
from caller.report import Segment


@pytest.mark.parametrize(
    ("latency_s", "score"),
    [(-0.6, 0), (0, 0.5), (0.2, 0.7), (0.5, 1), (2, 1), (2.75, 0.5), (3, 1 / 3), (3.5, 0), (9, 0)],
)
def test_eva_scores_a_latency_as_documented(latency_s: float, score: float) -> None:
    assert latency_score(latency_s) == pytest.approx(score)


@pytest.mark.parametrize(("latency_s", "score"), [(2.75, 1), (3, 1), (3.5, 0.75), (4, 0.5), (5, 0)])
def test_eva_is_more_patient_where_a_tool_works(latency_s: float, score: float) -> None:
    assert latency_score(latency_s, has_tool=True) == pytest.approx(score)


def call(said: list[Said], *heard: tuple[float, float]) -> Conversation:
    return Conversation(said, [Segment(*sound) for sound in heard])


def test_eva_halves_at_most_what_an_agent_gets_that_interrupts() -> None:
    short_overlap = call([Said(0, 3)], (2.5, 3.0), (4.0, 5.0))
    found = eva([short_overlap])
    assert found.reasons == ["agent_interrupt"]
    assert found.scores == [pytest.approx(0.5 * (1 - 0.5 / 2))]


def test_eva_takes_the_wait_after_an_interruption_into_account() -> None:
    assert eva([call([Said(0, 3)], (2.5, 3.0), (6.6, 7.0))]).scores == [0.0]


def test_eva_counts_three_interruptions_of_a_turn_as_the_worst() -> None:
    assert eva([call([Said(0, 3)], (0.5, 0.6), (1.5, 1.6), (2.5, 2.6), (4, 5))]).scores == [0.0]


def test_eva_scores_how_fast_an_interrupted_agent_stops() -> None:
    found = eva([call([Said(0, 1), Said(3, 4)], (1.5, 3.6), (5, 6))])
    assert found.reasons == ["latency", "user_interrupt"]
    assert found.scores == [pytest.approx(1), pytest.approx(0.7)]


def test_eva_gives_nothing_for_a_call_whose_last_turn_is_not_answered() -> None:
    found = eva([call([Said(0, 1), Said(4, 5)], (2, 3))])
    assert found.missed == 1
    assert found.scores == [0.0]


def test_tau_voice_measures_responses_until_the_caller_speaks_again() -> None:
    found = tau_voice([call([Said(0, 1), Said(3, 4), Said(6, 7)], (1.5, 2.5), (7.7, 8))])
    assert found.answered == [True, False, True]
    assert found.latencies == [pytest.approx(0.5), pytest.approx(0.7)]


def test_tau_voice_takes_two_seconds_for_not_yielding() -> None:
    found = tau_voice([call([Said(2, 3), Said(9, 10)], (1, 2.4), (8, 11.1))])
    assert found.yielded == [True, False]
    assert found.yields == [pytest.approx(0.4)]


def test_tau_voice_counts_every_start_within_a_turn_as_an_interruption() -> None:
    assert tau_voice([call([Said(0, 3)], (1, 1.5), (2, 2.5), (4, 5))]).interruptions == 2


def test_tau_voice_wants_a_cough_ignored() -> None:
    cough = Said(2, 2.2, is_noise=True)
    assert tau_voice([call([cough], (1, 5))]).ignored == [True]
    assert tau_voice([call([cough], (1, 2.8))]).ignored == [False]
    assert tau_voice([call([cough], (3, 4))]).ignored == [False]
    assert tau_voice([call([cough], (5, 6))]).ignored == [True]


def test_report_of_caller_is_scored_with_each_sound_once() -> None:
    turns = [
        {"first_sent": 1.0, "last_sent": 2.0, "heard": [{"start": 2.6, "end": 4.0}]},
        {"first_sent": 3.6, "last_sent": 4.5, "heard": [{"start": 3.6, "end": 4.1}, {"start": 5.2, "end": 6.0}]},
    ]
    found = conversation_of({"greeting": {"heard": [{"start": 0.1, "end": 0.8}]}, "turns": turns})
    assert [(sound.start, sound.end) for sound in found.heard] == [(0.1, 0.8), (2.6, 4.1), (5.2, 6.0)]
    assert tau_voice([found]).yields == [pytest.approx(0.5)]


def test_turns_of_people_are_conversations_of_one_turn_with_what_was_heard() -> None:
    judged = {"began": -3.0, "heard": [[-1.0, -0.5], [0.8, 3.0]]}
    rows = [
        {"profile": "people", "system": "stock", "person": judged},
        {"profile": "people", "system": "stock", "person": {"began": -2.0, "heard": [[0.6, 2.0]]}},
        {"profile": "people", "system": "older", "person": {"first_sound": 1.0}},
        {"profile": "cloud", "system": "stock"},
    ]
    (calls,) = of_people(LatencyResults(turns=rows)).values()
    panel = tau_voice(calls)
    assert (panel.latencies, panel.interruptions) == ([0.8, 0.6], 1)
    assert eva(calls).reasons == ["agent_interrupt", "latency"]
