from __future__ import annotations

import pytest

from agent_worker.preresponse.latency import LatencyEstimator
from agent_worker.telemetry.trace import TurnTrace


def past_turn(to_token: float, to_audio: float | None, **more: bool | str) -> TurnTrace:
    audio = None if to_audio is None else 10 + to_token + to_audio
    return TurnTrace("phrase", main_request=10, main_first_token=10 + to_token, main_first_audio=audio, **more)  # type: ignore[arg-type]


def test_there_is_no_estimate_before_the_first_turn() -> None:
    assert LatencyEstimator().eta(TurnTrace("phrase", main_request=0.0), now=0.0) is None


def test_estimate_is_the_median_of_the_last_turns() -> None:
    latency = LatencyEstimator()
    for to_token in (0.5, 0.6, 9.0):
        latency.observe(past_turn(to_token, 0.3))
    assert latency.eta(TurnTrace("phrase", main_request=0.0), now=0.2) == pytest.approx(0.6 + 0.3 - 0.2)


def test_first_token_of_this_turn_replaces_the_median() -> None:
    latency = LatencyEstimator()
    latency.observe(past_turn(2.0, 0.3))
    assert latency.eta(TurnTrace("phrase", main_request=0.0, main_first_token=0.4), now=0.5) == pytest.approx(0.2)


def test_late_token_is_expected_any_moment() -> None:
    latency = LatencyEstimator()
    latency.observe(past_turn(0.5, 0.3))
    assert latency.eta(TurnTrace("phrase", main_request=0.0), now=5.0) == pytest.approx(0.3)


def test_after_a_tool_call_the_model_is_asked_again() -> None:
    latency = LatencyEstimator()
    latency.observe(past_turn(0.5, 0.3))
    assert latency.eta(TurnTrace("phrase", main_request=0.0, uses_tools=True), now=5.0) == pytest.approx(0.8)


def test_turns_with_tools_or_a_synthesised_preresponse_are_left_out() -> None:
    latency = LatencyEstimator()
    latency.observe(past_turn(0.5, 0.3))
    latency.observe(past_turn(8.0, 0.3, uses_tools=True))
    latency.observe(past_turn(0.5, 4.0, source="llm"))
    latency.observe(past_turn(0.5, 30.0))
    assert latency.eta(TurnTrace("phrase", main_request=0.0), now=0.0) == pytest.approx(0.8)


def test_tool_that_the_last_turns_called_is_expected_again() -> None:
    latency = LatencyEstimator()
    latency.observe(past_turn(0.5, 0.3))
    assert not latency.expects_tool
    latency.observe(past_turn(3.0, 0.3, uses_tools=True))
    assert latency.expects_tool
    assert latency.usual() == pytest.approx(3.3)
    assert latency.eta(TurnTrace("phrase", main_request=0.0), now=0.5) == pytest.approx(2.8)


def test_tool_call_counts_as_a_look_up_before_any_turn_is_known() -> None:
    eta = LatencyEstimator().eta(TurnTrace("phrase", main_request=0.0, uses_tools=True), now=0.5)
    assert eta == pytest.approx(1.5)
    assert LatencyEstimator().usual() is None
