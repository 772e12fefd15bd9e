"""When the agent has replied and finished, on a clock that needs no time."""

from collections.abc import Sequence

import pytest

from caller import Backchannel, CallOptions, RoomError, Segment, Turn
from caller.agent_watcher import AgentWatcher
from caller.clock import Clock
from caller.soft_backchannels import SpeechAudio


class ManualClock(Clock):
    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(lambda: self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class ScriptedCall:
    """An agent that speaks and changes its state at given instants; the caller's utterance lasts from 1 to 2 s."""

    def __init__(
        self,
        *speech: tuple[float, float],
        states: Sequence[tuple[float, str]] = (),
        leaves_at: float = 1000.0,
        lost_at: float = 1000.0,
        backchannels: Sequence[Backchannel] = (),
        **options: float,
    ) -> None:
        self.clock = ManualClock()
        self.turn = Turn("hello.wav", 1.0, 2.0)
        self._speech = speech
        self._states = states
        self._leaves_at = leaves_at
        self._lost_at = lost_at
        self._backchannels = backchannels
        self.watcher = AgentWatcher(CallOptions(utterances=[], **options), self.clock, self, SpeechAudio(self, self))

    async def reply(self, interrupt: bool = False, audible_s: float | None = None) -> float:
        """Wait for the reply after the utterance; return when the wait was over."""
        self.clock.seconds = 2.0
        await self.watcher.wait_for_reply(self.turn, interrupt, audible_s)
        return self.clock.seconds

    def segments(self, since: float) -> list[Segment]:
        now = self.clock.now()
        return [Segment(max(start, since), min(end, now)) for start, end in self._speech if start < now and end > since]

    @property
    def backchannels(self) -> list[Backchannel]:
        return [sound for sound in self._backchannels if sound.at <= self.clock.now()]

    @property
    def present(self) -> bool:
        return self.clock.now() < self._leaves_at

    @property
    def state(self) -> str | None:
        return self._latest_state()[1]

    @property
    def state_since(self) -> float:
        return self._latest_state()[0]

    def _latest_state(self) -> tuple[float, str | None]:
        return max((change for change in self._states if change[0] <= self.clock.now()), default=(0.0, None))

    def raise_if_lost(self) -> None:
        if self.clock.now() >= self._lost_at:
            raise RoomError("lost")


def close_to(seconds: float) -> float:
    """Not before this instant, and at most two polls later."""
    return pytest.approx(seconds + 0.02, abs=0.021)


async def test_reply_is_over_when_it_has_been_quiet_long_enough() -> None:
    call = ScriptedCall((2.5, 4.0), quiet=0.8)
    assert await call.reply() == close_to(4.8)
    assert (call.turn.first_heard, call.turn.response_gap) == (2.5, 0.5)


async def test_pause_inside_a_reply_does_not_end_it() -> None:
    assert await ScriptedCall((2.5, 3.0), (3.9, 5.0), quiet=1.0).reply() == close_to(6.0)


async def test_silence_while_the_agent_thinks_does_not_end_the_reply() -> None:
    states = [(2.0, "thinking"), (6.0, "speaking"), (7.0, "listening")]
    assert await ScriptedCall((2.5, 3.0), (6.0, 7.0), states=states, quiet=1.0).reply() == close_to(8.0)


async def test_short_state_of_listening_between_preresponse_and_answer_does_not_end_the_reply() -> None:
    states = [(2.4, "speaking"), (3.8, "listening"), (4.2, "speaking"), (5.0, "listening")]
    assert await ScriptedCall((2.5, 3.0), (4.2, 5.0), states=states, quiet=1.0).reply() == close_to(6.0)


async def test_agent_that_keeps_thinking_is_given_up_after_the_reply_timeout() -> None:
    call = ScriptedCall((2.5, 3.0), states=[(2.0, "thinking")], reply_timeout=5.0)
    assert await call.reply() == close_to(8.0)


async def test_reply_that_never_ends_is_given_up_after_the_turn_timeout() -> None:
    call = ScriptedCall((2.5, 900.0), turn_timeout=60.0)
    assert await call.reply() == close_to(62.5)
    assert call.turn.first_heard == 2.5


async def test_missing_reply_is_given_up_after_the_reply_timeout() -> None:
    call = ScriptedCall(reply_timeout=5.0)
    assert await call.reply() == close_to(7.0)
    assert (call.turn.first_heard, call.turn.response_gap) == (None, None)


async def test_wait_ends_when_the_agent_leaves() -> None:
    assert await ScriptedCall(leaves_at=3.0).reply() == close_to(3.0)
    assert await ScriptedCall((2.5, 2.9), leaves_at=3.0).reply() == close_to(3.0)


async def test_wait_ends_with_an_error_when_the_connection_is_lost() -> None:
    with pytest.raises(RoomError):
        await ScriptedCall(lost_at=3.0).reply()


async def test_barge_in_waits_for_part_of_the_reply() -> None:
    assert await ScriptedCall((2.5, 9.0), barge_in=1.5).reply(interrupt=True) == close_to(4.0)
    assert await ScriptedCall((2.5, 9.0), barge_in=1.5, quiet=1.0).reply(interrupt=False) == close_to(10.0)


async def test_rest_of_an_earlier_reply_is_not_the_response() -> None:
    call = ScriptedCall((0.5, 1.4), (3.0, 4.0))
    await call.reply()
    assert call.turn.first_heard == 3.0


async def test_greeting_is_awaited_to_its_end() -> None:
    call = ScriptedCall((0.5, 1.5), greeting_wait=2.0, quiet=1.0)
    (greeting,) = await call.watcher.wait_for_greeting()
    assert (greeting.start, greeting.end) == (0.5, 1.5)
    assert call.clock.seconds == close_to(2.5)


async def test_agent_that_does_not_greet_costs_the_greeting_wait() -> None:
    call = ScriptedCall(greeting_wait=2.0)
    assert await call.watcher.wait_for_greeting() == []
    assert call.clock.seconds == close_to(2.0)


async def test_barge_in_by_audible_time_does_not_count_the_pause_before_the_answer() -> None:
    call = ScriptedCall((2.5, 3.5), (6.0, 12.0), quiet=0.8, states=[(2.5, "speaking")])
    assert await call.reply(interrupt=True, audible_s=3.0) == close_to(8.0)


async def test_last_utterance_waits_for_the_whole_reply() -> None:
    call = ScriptedCall((2.5, 4.0), quiet=0.8)
    assert await call.reply(interrupt=False, audible_s=0.5) == close_to(4.8)


@pytest.mark.parametrize("announced_at", [2.7, 2.9, 3.0, 3.15])
async def test_listeners_sound_is_no_reply_whether_its_announcement_is_early_or_late(announced_at: float) -> None:
    backchannels = [Backchannel("Mm-hmm.", 0.5, announced_at)]
    call = ScriptedCall((2.9, 3.45), (4.6, 6.0), backchannels=backchannels, quiet=0.8)
    assert await call.reply() == close_to(6.8)
    assert (call.turn.first_heard, call.turn.response_gap) == (4.6, pytest.approx(2.6))


async def test_reply_after_a_listeners_sound_may_take_as_long_as_any() -> None:
    backchannels = [Backchannel("Mm-hmm.", 0.5, 2.8)]
    call = ScriptedCall((2.9, 3.4), backchannels=backchannels, reply_timeout=5.0)
    assert await call.reply() >= 7.0
    assert call.turn.first_heard is None


async def test_barge_in_does_not_count_a_listeners_sound() -> None:
    backchannels = [Backchannel("Mm-hmm.", 0.5, 3.0)]
    call = ScriptedCall((2.9, 3.4), (5.0, 9.0), backchannels=backchannels, barge_in=1.5)
    assert await call.reply(interrupt=True) == close_to(6.5)


async def test_listeners_sound_that_is_announced_and_not_heard_costs_nothing_of_the_reply() -> None:
    backchannels = [Backchannel("Mm-hmm.", 0.5, 2.4)]
    call = ScriptedCall((2.9, 6.0), backchannels=backchannels, quiet=0.8)
    assert await call.reply() == close_to(6.8)
    assert call.turn.first_heard == 2.9
