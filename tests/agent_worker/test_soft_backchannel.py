"""The agent makes a listener's sound where the caller pauses and goes on, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import AgentStateChangedEvent, UserStateChangedEvent

from agent_worker.audio.soft_voice import SoftVoice, prepared
from agent_worker.testing import tone
from agent_worker.turn_taking.loudness import is_sounding
from agent_worker.turn_taking.pause_length import Pause
from agent_worker.turn_taking.soft_backchannel import (
    MIN_SILENCE_S,
    MIN_WAIT_AFTER_S,
    CallerPause,
    SoftBackchannel,
    fits,
)
from tests.waiting import until

DICTATION = CallerPause(Pause.DICTATION, "My number is four one five", is_final=True, min_delay_s=4.0)
OPEN = CallerPause(Pause.OPEN, "I'd like to order", is_final=True, min_delay_s=2.5)
USUAL = CallerPause(Pause.USUAL, "When do you open?", is_final=True, min_delay_s=0.25)
CLIP_S = 0.5
DETECTED_SILENCE_S = 0.25


class Session(rtc.EventEmitter[str]):
    user_state = "listening"
    agent_state = "listening"


@dataclass
class Listener:
    """A session in which time passes when the test says so."""

    pause: CallerPause = DICTATION
    session: Any = field(default_factory=Session)
    is_sounding: bool = False
    now: float = 100.0
    silent_since: float = 0.0
    played: list[float] = field(default_factory=list)
    stopped: int = 0
    timers: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backchannel = SoftBackchannel(
            self.session,
            pause=lambda: self.pause,
            clip_s=CLIP_S,
            play=lambda: self.played.append(self.now),
            stop=self.stop,
            is_sounding=lambda: self.is_sounding,
            detected_silence_s=DETECTED_SILENCE_S,
            clock=lambda: self.now,
            call_later=self.call_later,
        )

    def stop(self) -> None:
        self.stopped += 1

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Any:
        timer = (self.now + delay_s, callback)
        self.timers.append(timer)

        class Handle:
            def cancel(_) -> None:  # noqa: N805
                if timer in self.timers:
                    self.timers.remove(timer)

        return Handle()

    def passes(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer[0] <= end + 1e-9]:
            first = min(due, key=lambda timer: timer[0])
            self.timers.remove(first)
            self.now = first[0]
            first[1]()
        self.now = end

    def user(self, state: Any) -> None:
        event = UserStateChangedEvent(old_state=self.session.user_state, new_state=state)
        self.session.user_state = state
        self.session.emit("user_state_changed", event)

    def agent(self, state: Any) -> None:
        event = AgentStateChangedEvent(old_state=self.session.agent_state, new_state=state)
        self.session.agent_state = state
        self.session.emit("agent_state_changed", event)

    def words(self, pause: CallerPause | None = None) -> None:
        """The recogniser's words arrive, and make the pause what it is."""
        self.pause = pause or self.pause
        self.backchannel.on_text(self.pause.text)

    def speaks(self, *, with_words: bool = True) -> None:
        self.user("speaking")
        self.passes(1.0)
        if with_words:
            self.words()
        self.silent_since = self.now
        self.passes(DETECTED_SILENCE_S)
        self.user("listening")

    def speaks_and_pauses(self, pause_s: float) -> None:
        """The caller speaks, and is silent for so long."""
        self.speaks()
        self.passes(pause_s - DETECTED_SILENCE_S)


@pytest.mark.parametrize("pause", [DICTATION, OPEN])
def test_agent_makes_one_sound_in_a_pause_in_which_the_caller_goes_on(pause: CallerPause) -> None:
    now = Listener(pause)
    now.speaks_and_pauses(pause.min_delay_s)
    assert now.played == [pytest.approx(now.silent_since + MIN_SILENCE_S)]


@pytest.mark.parametrize(
    "text",
    ["When do you open?", "What is the best way to learn how to cook?", "Tell me about trains.", "Yes, on Monday."],
)
@pytest.mark.parametrize("min_delay_s", [0.25, 1.8, 9.0])
def test_agent_makes_no_sound_after_complete_words_however_long_it_waits(text: str, min_delay_s: float) -> None:
    now = Listener(replace(USUAL, text=text, min_delay_s=min_delay_s))
    now.speaks_and_pauses(10.0)
    assert now.played == []


@pytest.mark.parametrize("late_s", [0.3, 0.6, 0.9, 2.0])
def test_unfinished_words_whose_rest_is_still_being_transcribed_are_no_reason_for_a_sound(late_s: float) -> None:
    now = Listener(replace(OPEN, text="What is the best way to", is_final=False))
    now.speaks_and_pauses(late_s)
    now.words(replace(USUAL, text="What is the best way to cook?"))
    now.passes(5.0)
    assert now.played == []


@pytest.mark.parametrize("late_s", [0.5, 0.9, 1.5])
def test_words_of_the_speech_before_are_no_reason_for_a_sound(late_s: float) -> None:
    now = Listener(OPEN)
    now.speaks_and_pauses(0.4)
    now.speaks(with_words=False)  # a recogniser that does not stream
    now.passes(late_s)
    now.words(replace(USUAL, text="I'd like to order a pizza."))
    now.passes(5.0)
    assert now.played == []


@pytest.mark.parametrize(("pause", "is_heard"), [(OPEN, False), (DICTATION, True)])
def test_sound_of_an_end_counts_after_a_beginning_and_not_in_a_value_that_is_incomplete(
    pause: CallerPause, is_heard: bool
) -> None:
    now = Listener(replace(pause, expects_end=True))
    now.speaks_and_pauses(pause.min_delay_s)
    assert bool(now.played) is is_heard


@pytest.mark.parametrize("pause_s", [0.2, 0.5, 0.75])
def test_short_pause_passes_without_a_sound(pause_s: float) -> None:
    now = Listener()
    for _ in range(5):
        now.speaks_and_pauses(pause_s)
    assert now.played == []


@pytest.mark.parametrize("pause", [OPEN, DICTATION])
@pytest.mark.parametrize("clip_s", [0.3, 0.5, 0.7, 1.0])
def test_no_reply_comes_within_a_second_after_the_sound(pause: CallerPause, clip_s: float) -> None:
    starts = [at / 100 for at in range(600) if fits(pause, at / 100, clip_s)]
    assert all(start + clip_s + MIN_WAIT_AFTER_S <= pause.min_delay_s + 1e-9 for start in starts)
    assert all(start >= MIN_SILENCE_S for start in starts)
    assert starts or (pause is OPEN and clip_s > 0.7)


@pytest.mark.parametrize(("late_s", "is_heard"), [(0.6, True), (2.0, True), (2.4, True), (2.6, False), (3.5, False)])
def test_words_that_come_late_bring_the_sound_as_long_as_the_reply_is_far(late_s: float, is_heard: bool) -> None:
    now = Listener()
    now.speaks(with_words=False)
    now.passes(late_s - DETECTED_SILENCE_S)
    assert now.played == []
    now.words()
    now.passes(2.0)
    assert now.played == ([pytest.approx(now.silent_since + max(late_s, MIN_SILENCE_S))] if is_heard else [])


def test_sounds_are_eight_seconds_apart() -> None:
    now = Listener()
    for _ in range(20):
        now.speaks_and_pauses(1.0)
    assert len(now.played) > 3
    assert min(later - earlier for earlier, later in zip(now.played, now.played[1:], strict=False)) >= 8.0


@pytest.mark.parametrize("text", ["Um", "I'd", "Please"])
def test_agent_makes_no_sound_to_the_first_word(text: str) -> None:
    now = Listener(replace(OPEN, text=text))
    now.speaks_and_pauses(3.0)
    assert now.played == []


def test_caller_who_is_audible_again_is_not_spoken_over() -> None:
    now = Listener(is_sounding=True)
    now.speaks_and_pauses(3.0)
    assert now.played == []


def test_sound_stops_when_the_caller_speaks() -> None:
    now = Listener()
    now.speaks_and_pauses(1.0)
    before = now.stopped
    now.user("speaking")
    assert now.stopped == before + 1


@pytest.mark.parametrize("state", ["thinking", "speaking"])
def test_agent_that_has_the_floor_makes_no_sound_beside_its_answer(state: str) -> None:
    now = Listener()
    now.speaks()
    now.agent(state)
    now.words()
    now.passes(3.0)
    assert now.played == []


class Source:
    """What the room hears."""

    sample_rate = 24_000

    def __init__(self) -> None:
        self.frames: list[rtc.AudioFrame] = []
        self.cleared = 0
        self.played = asyncio.Event()
        self.is_over = False

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.frames.append(frame)

    async def wait_for_playout(self) -> None:
        await self.played.wait()
        self.is_over = True

    def clear_queue(self) -> None:
        self.cleared += 1


async def test_clip_is_softer_than_speech_and_at_the_rate_of_the_room() -> None:
    frames = prepared([tone(0.5, level=0.8)], 24_000)
    samples = np.concatenate([np.frombuffer(frame.data, dtype=np.int16) for frame in frames])
    assert {frame.sample_rate for frame in frames} == {24_000}
    assert len(samples) / 24_000 == pytest.approx(0.5, abs=0.05)
    assert 0.3 < np.abs(samples).max() / 32767 < 0.5


async def test_clip_that_is_stopped_leaves_nothing_in_the_queue_and_speech_is_left_alone() -> None:
    source: Any = Source()
    voice = SoftVoice(source)
    voice.play([tone(0.4)])
    await until(lambda: source.frames)
    voice.stop()
    assert source.cleared == 1
    voice.stop()
    source.played.set()
    voice.play([tone(0.4)])
    await until(lambda: source.is_over)
    voice.stop()  # it has been played: what is queued now is speech
    assert source.cleared == 1


def test_sound_of_the_last_moment_is_noticed() -> None:
    quiet = [-65.0] * 500
    assert not is_sounding([])
    assert not is_sounding(quiet)
    assert is_sounding([*quiet, *[-25.0] * 3])
    assert not is_sounding([*quiet, *[-25.0] * 3, *[-65.0] * 30])
