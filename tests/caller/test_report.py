import json

from caller.report import CallReport, Segment, Turn, response_start


def test_response_is_the_first_sound_after_the_last_sample() -> None:
    assert response_start([Segment(0.1, 0.5), Segment(2.4, 3), Segment(3.5, 4)], 1.0, 2.0) == 2.4


def test_rest_of_an_earlier_reply_is_no_response() -> None:
    assert response_start([Segment(0.5, 1.4)], 1.0, 2.0) is None
    assert response_start([Segment(0.5, 2.1), Segment(3, 4)], 1.0, 2.0) == 3


def test_agent_that_cut_in_and_gave_way_has_not_responded() -> None:
    assert response_start([Segment(1.2, 1.5), Segment(2.6, 3)], 1.0, 2.0) == 2.6


def test_agent_that_answers_too_early_has_responded() -> None:
    assert response_start([Segment(1.8, 3)], 1.0, 2.0) == 1.8


def test_json_has_every_field() -> None:
    turn = Turn("a.wav", 1.0, 2.0)
    report = json.loads(CallReport("r", "me", "agent", 0.0, turns=[turn]).to_json())
    assert set(report) == {"room", "identity", "agent", "wall_clock_start", "greeting", "turns", "texts"}
    assert report["turns"][0]["response_gap"] is None
