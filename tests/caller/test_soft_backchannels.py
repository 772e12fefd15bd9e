"""Which sounds of the agent are its soft backchannels, and which its speech."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agent_worker.room.topics import BACKCHANNEL_TOPIC
from caller import Backchannel, Segment, TopicText, Turn
from caller.__main__ import describe
from caller.clock import Clock
from caller.soft_backchannels import MAX_EARLY_S, MAX_LATE_S, STRETCH_S, without_backchannels
from caller.transcripts import Transcripts, parse_backchannel
from tests.waiting import until

REPLY = Segment(6.0, 8.0)


def speech(*heard: tuple[float, float], at: float = 3.0, seconds: float = 0.5) -> list[tuple[float, float]]:
    segments = [*(Segment(*segment) for segment in heard), REPLY]
    left = without_backchannels(segments, [Backchannel("Mm-hmm.", seconds, at)])
    return [(segment.start, segment.end) for segment in left]


@pytest.mark.parametrize("delay_s", [-MAX_EARLY_S, -0.1, 0.0, 0.05, 0.3, MAX_LATE_S])
def test_sound_around_the_announcement_is_the_backchannel(delay_s: float) -> None:
    assert speech((3.0 + delay_s, 3.5 + delay_s)) == [(6.0, 8.0)]


@pytest.mark.parametrize("heard", [(1.0, 1.5), (2.6, 3.1), (4.1, 4.6)])
def test_sound_at_another_time_is_speech(heard: tuple[float, float]) -> None:
    assert speech(heard) == [heard, (6.0, 8.0)]


def test_backchannel_may_have_a_pause_in_it_and_be_stretched_on_the_way() -> None:
    assert speech((3.1, 3.3), (3.52, 3.6 + STRETCH_S)) == [(6.0, 8.0)]


@pytest.mark.parametrize("end", [3.9, 4.5, 5.5])
def test_longer_sound_is_speech(end: float) -> None:
    assert speech((3.1, end)) == [(3.1, end), (6.0, 8.0)]


def test_what_follows_a_backchannel_is_speech() -> None:
    assert speech((3.1, 3.6), (3.85, 5.0)) == [(3.85, 5.0), (6.0, 8.0)]


@pytest.mark.parametrize("text", ["", "mm-hm", "[]", "null", '{"text": "Mm-hmm."}', '{"text": "", "seconds": null}'])
def test_message_of_another_shape_announces_nothing(text: str) -> None:
    assert parse_backchannel(text, 1.0) is None


def test_message_announces_text_and_length() -> None:
    assert parse_backchannel('{"text": "Mm-hmm.", "seconds": 0.52}', 1.5) == Backchannel("Mm-hmm.", 0.52, 1.5)


class Room:
    """A room whose text streams the test sends."""

    def __init__(self) -> None:
        self.local_participant = SimpleNamespace(identity="caller")
        self.handlers: dict[str, Callable[[Any, str], None]] = {}

    def register_text_stream_handler(self, topic: str, handler: Callable[[Any, str], None]) -> None:
        assert topic not in self.handlers  # LiveKit takes one handler for a topic
        self.handlers[topic] = handler

    def send(self, topic: str, text: str) -> None:
        async def read_all() -> str:
            return text

        self.handlers[topic](SimpleNamespace(info=SimpleNamespace(topic=topic), read_all=read_all), "agent")


@pytest.mark.parametrize("is_requested", [False, True])
async def test_announcements_are_always_read_and_are_among_the_texts_if_asked_for(is_requested: bool) -> None:
    room: Any = Room()
    transcripts = Transcripts(room, Clock(lambda: 0.0), [BACKCHANNEL_TOPIC] if is_requested else [])
    message = json.dumps({"text": "Mm-hmm.", "seconds": 0.5})
    room.send(BACKCHANNEL_TOPIC, message)
    await until(lambda: transcripts.backchannels)
    assert transcripts.backchannels == [Backchannel("Mm-hmm.", 0.5, 0.0)]
    assert transcripts.texts == ([TopicText(BACKCHANNEL_TOPIC, message, 0.0)] if is_requested else [])


def test_a_turns_line_tells_of_its_backchannels() -> None:
    turn = Turn("four one five", 0.0, 1.0, first_heard=5.0, response_gap=4.0, heard=[Segment(5.0, 6.0)])
    assert "backchannel" not in describe(1, turn)
    turn.backchannels = [Backchannel("Mm-hmm.", 0.5, 1.8)]
    assert "; 1 backchannel" in describe(1, turn)
