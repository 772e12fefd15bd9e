from __future__ import annotations

import pytest

from agent_worker.preresponse.latency import LatencyEstimator
from agent_worker.telemetry.trace import TurnTrace


class At(TurnTrace):
    """A timeline whose clock stands still."""

    clock = 0.0

    @staticmethod
    def now() -> float:
        return At.clock


def past_turn(to_token: float, to_audio: float | None, **more: bool | str) -> TurnTrace:
    audio = None if to_audio is None else 10 + to_token + to_audio
    return TurnTrace("phrase", main_request=10, main_first_token=10 + to_token, main_first_audio=audio, **more)  # type: ignore[arg-type]


def test_nothing_is_known_before_the_first_turn() -> None:
    assert LatencyEstimator().remaining(At("phrase", main_request=0.0)) is None


def test_expects_what_the_last_turns_took() -> None:
    forecast = LatencyEstimator()
    for to_token in (0.5, 0.6, 9.0):
        forecast.learn(past_turn(to_token, 0.3))
    At.clock = 0.2
    assert forecast.remaining(At("phrase", main_request=0.0)) == pytest.approx(0.6 + 0.3 - 0.2)


def test_first_token_that_is_there_counts_more_than_the_past() -> None:
    forecast = LatencyEstimator()
    forecast.learn(past_turn(2.0, 0.3))
    At.clock = 0.5
    assert forecast.remaining(At("phrase", main_request=0.0, main_first_token=0.4)) == pytest.approx(0.2)


def test_late_token_is_expected_any_moment() -> None:
    forecast = LatencyEstimator()
    forecast.learn(past_turn(0.5, 0.3))
    At.clock = 5.0
    assert forecast.remaining(At("phrase", main_request=0.0)) == pytest.approx(0.3)


def test_after_a_tool_call_the_model_is_asked_again() -> None:
    forecast = LatencyEstimator()
    forecast.learn(past_turn(0.5, 0.3))
    At.clock = 5.0
    assert forecast.remaining(At("phrase", main_request=0.0, uses_tools=True)) == pytest.approx(0.8)


def test_turns_with_tools_or_behind_a_synthesised_preresponse_do_not_mislead() -> None:
    forecast = LatencyEstimator()
    forecast.learn(past_turn(0.5, 0.3))
    forecast.learn(past_turn(8.0, 0.3, uses_tools=True))
    forecast.learn(past_turn(0.5, 4.0, source="llm"))
    forecast.learn(past_turn(0.5, 30.0))
    At.clock = 0.0
    assert forecast.remaining(At("phrase", main_request=0.0)) == pytest.approx(0.8)
