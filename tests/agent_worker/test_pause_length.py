"""A caller who dictates or has only begun is waited for; the agent makes at most a listener's sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import AgentSession, AgentStateChangedEvent, UserStateChangedEvent

from agent_worker.audio.soft_voice import SoftVoice, prepared
from agent_worker.testing import tone
from agent_worker.turn_taking.loudness import is_sounding
from agent_worker.turn_taking.pause_length import Pause, PauseDelays, PauseLength
from agent_worker.turn_taking.soft_backchannel import SoftBackchannel
from tests.agent_worker.test_voice_turns import Call, call
from tests.waiting import settle, until

LONG = PauseDelays(open_s=600.0, dictation_s=900.0)


@asynccontextmanager
async def patient_call() -> AsyncIterator[tuple[Call, PauseLength]]:
    """A call in which a pause in dictation is practically endless, so that only a complete value ends the turn."""
    async with call(strategy="off") as now:
        now.gate.set()
        pauses = PauseLength(now.session, "en", LONG, now.agent.last_text)
        now.agent.events.on("caller_text", pauses.on_text)
        yield now, pauses


def delays(session: AgentSession[Any]) -> tuple[float, float]:
    usual = session.options.endpointing
    return usual["min_delay"], usual["max_delay"]


@pytest.mark.parametrize(
    ("question", "pieces"),
    [
        ("What's your phone number?", ["four one five", "five five five", "oh one two three"]),
        ("What's your email address?", ["It's john dot smith", "at example dot com"]),
        ("Could you give me your card number?", ["4111 1111", "1111", "1111"]),
        ("What's your date of birth?", ["March", "third", "nineteen eighty four"]),
        ("How do you spell your last name?", ["Jones, J O", "N E S"]),
        ("How can I help you?", ["I'd like to order", "a pizza with mushrooms"]),
        ("How can I help you?", ["I want to book a flight to", "Berlin on Friday"]),
        ("Anything else?", ["Can you tell me", "when you open?"]),
        ("Why did you change it?", ["We moved it so that", "everybody can come."]),
    ],
)
async def test_pieces_with_pauses_between_them_are_one_turn(question: str, pieces: list[str]) -> None:
    async with patient_call() as (now, _):
        usual = delays(now.session)
        await now.session.say(question)
        for piece in pieces[:-1]:
            now.ears.say(piece)
            await until(lambda: delays(now.session)[0] > usual[0])
            await settle()
            assert now.said == [question]
        now.ears.say(pieces[-1])
        await now.until_said(3)
        assert now.said[1] == " ".join(pieces)
        assert delays(now.session) == usual


async def test_interim_words_are_enough_to_wait() -> None:
    async with patient_call() as (now, pauses):
        now.ears.start_speech()
        now.ears.interim("I'd like to order")
        await until(lambda: pauses.pause is Pause.OPEN)
        assert delays(now.session) == (LONG.open_s, LONG.open_s)
        now.ears.interim("I'd like to order a pizza")
        await until(lambda: pauses.pause is Pause.USUAL)


async def test_longer_usual_delay_stays() -> None:
    async with call() as now:
        now.session.update_options(endpointing_opts={"min_delay": 1.0, "max_delay": 3.0})
        pauses = PauseLength(now.session, "en", PauseDelays(open_s=0.0, dictation_s=2.0))
        pauses.on_text("I'd like to order")
        assert delays(now.session) == (1.0, 3.0)
        pauses.on_text("my phone number is four one five")
        assert delays(now.session) == (2.0, 3.0)


class Session(rtc.EventEmitter[str]):
    user_state = "listening"
    agent_state = "listening"


@dataclass
class Listener:
    """A session in which time passes when the test says so."""

    session: Any = field(default_factory=Session)
    pause: Pause = Pause.DICTATION
    text: str = "my number is four one five"
    is_sounding: bool = False
    now: float = 100.0
    played: list[float] = field(default_factory=list)
    stopped: int = 0
    timers: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backchannel = SoftBackchannel(
            self.session,
            pause=lambda: self.pause,
            text=lambda: self.text,
            play=lambda: self.played.append(self.now),
            stop=self.stop,
            is_sounding=lambda: self.is_sounding,
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
        self.now += seconds
        for timer in [*self.timers]:
            if timer[0] <= self.now:
                self.timers.remove(timer)
                timer[1]()

    def user(self, state: Any) -> None:
        event = UserStateChangedEvent(old_state=self.session.user_state, new_state=state)
        self.session.user_state = state
        self.session.emit("user_state_changed", event)

    def agent(self, state: Any) -> None:
        event = AgentStateChangedEvent(old_state=self.session.agent_state, new_state=state)
        self.session.agent_state = state
        self.session.emit("agent_state_changed", event)

    def speaks_and_pauses(self, pause_s: float) -> None:
        self.user("speaking")
        self.passes(1.0)
        self.user("listening")
        self.passes(pause_s)


@pytest.mark.parametrize("pause", [Pause.DICTATION, Pause.OPEN])
def test_agent_makes_one_sound_in_a_pause_in_which_the_caller_goes_on(pause: Pause) -> None:
    now = Listener(pause=pause)
    now.speaks_and_pauses(2.0)
    assert len(now.played) == 1


def test_agent_makes_no_sound_in_other_pauses() -> None:
    now = Listener(pause=Pause.USUAL)
    now.speaks_and_pauses(5.0)
    assert now.played == []


def test_short_pause_passes_without_a_sound() -> None:
    now = Listener()
    for _ in range(5):
        now.speaks_and_pauses(0.2)
    assert now.played == []


def test_sounds_are_eight_seconds_apart() -> None:
    now = Listener()
    for _ in range(20):
        now.speaks_and_pauses(1.0)
    assert len(now.played) > 3
    assert min(later - earlier for earlier, later in zip(now.played, now.played[1:], strict=False)) >= 8.0


def test_sound_waits_for_words_that_come_late() -> None:
    now = Listener(pause=Pause.USUAL)
    now.speaks_and_pauses(0.5)
    now.pause = Pause.DICTATION
    now.backchannel.on_text(now.text)
    now.passes(0.5)
    assert len(now.played) == 1


def test_agent_makes_no_sound_to_the_first_word() -> None:
    now = Listener(text="Um")
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
    now.user("speaking")
    now.user("listening")
    now.agent(state)
    now.passes(3.0)
    assert now.played == []


class Source:
    """What the room hears."""

    sample_rate = 24_000

    def __init__(self) -> None:
        self.frames: list[rtc.AudioFrame] = []
        self.cleared = 0
        self.played = asyncio.Event()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.frames.append(frame)

    async def wait_for_playout(self) -> None:
        await self.played.wait()

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
    await settle()
    voice.stop()  # it has been played: what is queued now is speech
    assert source.cleared == 1


def test_sound_of_the_last_moment_is_noticed() -> None:
    quiet = [-65.0] * 500
    assert not is_sounding([])
    assert not is_sounding(quiet)
    assert is_sounding([*quiet, *[-25.0] * 3])
    assert not is_sounding([*quiet, *[-25.0] * 3, *[-65.0] * 30])
