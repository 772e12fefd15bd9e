"""The benchmark of turn-taking: what happens over the agent's speech, and what a detector costs."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the dependency group benchmarks")

from livekit import rtc

from benchmarks.turn_taking import over_agent, simulated_time
from benchmarks.turn_taking.caller_sounds import (
    BACKCHANNEL,
    COUGH,
    INTERRUPTION,
    CallerSound,
    coughs,
    is_acknowledgement,
    is_wordless,
    tidy,
)
from benchmarks.turn_taking.cost import Cost
from benchmarks.turn_taking.evaluate import Interval
from benchmarks.turn_taking.loudspeaker import Heard, Loudspeaker, Microphone
from benchmarks.turn_taking.over_agent import OURS, STOCK, Reaction, transcripts
from benchmarks.turn_taking.over_agent_figures import figures
from benchmarks.turn_taking.recordings import SAMPLE_RATE
from benchmarks.turn_taking.report_parts import CostFigures, cost_figures, cost_table


def sound(
    kind: str = INTERRUPTION, words: str = "", voiced: tuple[tuple[float, float], ...] = ((0.1, 0.6),)
) -> CallerSound:
    """Return a sound of noise, in which the voice activity detector hears nothing."""
    quiet = np.random.default_rng(1).normal(0, 8, SAMPLE_RATE).astype(np.int16)
    return CallerSound(kind, "x", "somebody", quiet, voiced, 0.1, voiced[-1][1], words, quiet)


def reaction(*heard: tuple[float, float, int], turns: int = 0) -> Reaction:
    return Reaction([Heard(*stretch) for stretch in heard], turns)


def test_time_passes_only_when_nothing_is_left_to_do() -> None:
    async def main() -> tuple[float, float, str]:
        began = time.monotonic(), time.time()
        await asyncio.sleep(3600)
        done = await asyncio.to_thread(lambda: "done")
        return time.monotonic() - began[0], time.time() - began[1], done

    assert simulated_time.run(main) == (pytest.approx(3600), pytest.approx(3600), "done")


def test_time_stands_still_while_a_thread_works() -> None:
    async def main() -> float:
        ticks = asyncio.create_task(asyncio.sleep(5))
        await asyncio.to_thread(sum, range(2_000_000))
        now = asyncio.get_running_loop().time()
        await ticks
        return now

    assert simulated_time.run(main) == 0.0


def frame(seconds: float) -> rtc.AudioFrame:
    count = round(seconds * SAMPLE_RATE)
    return rtc.AudioFrame(bytes(2 * count), SAMPLE_RATE, 1, count)


def test_loudspeaker_tells_when_it_was_heard() -> None:
    async def main() -> tuple[list[Heard], float]:
        loop = asyncio.get_running_loop()
        output = Loudspeaker(loop.time)
        await output.capture_frame(frame(2.0))
        output.flush()
        await asyncio.sleep(0.5)
        output.pause()
        await asyncio.sleep(1.0)
        output.resume()
        finished = await output.wait_for_playout()
        await output.capture_frame(frame(5.0))
        await asyncio.sleep(0.25)
        output.clear_buffer()
        await output.capture_frame(frame(1.0))
        output.flush()
        await output.wait_for_playout()
        await asyncio.sleep(1.0)
        return output.heard(), finished.playback_position

    heard, position = simulated_time.run(main)
    assert [(round(it.start, 3), round(it.end, 3), it.segment) for it in heard] == [
        (0.0, 0.5, 0),
        (1.5, 3.0, 0),
        (3.0, 3.25, 1),
    ]
    assert position == pytest.approx(2.0)


def test_microphone_keeps_pace_and_is_silent_afterwards() -> None:
    async def main() -> tuple[float, list[int]]:
        loop = asyncio.get_running_loop()
        microphone = Microphone(np.full(400, 7, np.int16), loop.time)
        frames = [await microphone.__anext__() for _ in range(3)]
        return loop.time(), [sum(frame.data) for frame in frames]

    assert simulated_time.run(main) == (pytest.approx(0.06), [7 * 320, 7 * 80, 0])


def test_words_come_spread_over_the_voice_and_are_final_after_it() -> None:
    found = transcripts(sound(words="one two three four", voiced=((0.1, 1.1), (2.1, 3.1))), 0.3)
    assert [(round(float(at), 2), is_final, words) for at, is_final, words in found] == [
        (0.8, False, "one"),
        (1.3, True, "one two"),
        (2.8, False, "three"),
        (3.3, True, "three four"),
    ]


@pytest.mark.parametrize(
    ("heard", "latency"),
    [([(-3, 0.4, 0)], 0.4), ([(-3, 0.4, 0), (0.55, 1.5, 0)], 1.5), ([(-3, 0.4, 0), (0.7, 9, 0)], 0.4), ([], 0.0)],
)
def test_yield_latency_is_until_the_first_silence_of_a_tick(
    heard: list[tuple[float, float, int]], latency: float
) -> None:
    assert reaction(*heard).yield_s() == latency


def test_who_is_not_silent_in_2_s_does_not_yield() -> None:
    assert np.isnan(reaction((-3, 2.1, 0)).yield_s())


def test_agent_that_is_heard_again_while_the_caller_speaks() -> None:
    found = reaction((-3, 0.4, 0), (0.8, 1.3, 0))
    assert found.speaks_again_before(2.0)
    assert not found.speaks_again_before(0.7)
    assert found.silent_s(2.0) == 1.3
    assert found.silent_s(1.0) == 1.0
    assert reaction((-3, 0.4, 0)).silent_s(2.0) == 0.4


def test_sound_is_let_pass_if_the_answer_goes_on_and_no_turn_comes_of_it() -> None:
    assert reaction((-3, 9, 0)).lets_pass()
    assert not reaction((-3, 9, 0), turns=1).lets_pass()
    assert not reaction((-3, 0.4, 0)).lets_pass() or reaction((-3, 0.4, 0)).silences()
    assert not reaction((-3, 0.4, 0), (2.0, 9.0, 1)).lets_pass()
    assert not reaction().lets_pass()


def test_held_answer_is_released_within_0_3_s_of_the_sound() -> None:
    held = reaction((-3, 0.4, 0), (0.85, 9, 0))
    assert held.lets_pass()
    assert not held.is_unmoved()
    assert held.released_within(0.6)
    assert not held.released_within(0.5)
    assert reaction((-3, 1.2, 0), (1.5, 9, 0)).is_unmoved()  # more than 1 s after the caller's first sound


def test_figures_count_each_kind_by_system() -> None:
    sounds = [sound(), sound(BACKCHANNEL, "Yeah."), sound(BACKCHANNEL, "Okay.")]
    passed, lost, yielded = reaction((-3, 9, 0)), reaction((-3, 0.4, 0), (2, 9, 1), turns=1), reaction((-3, 0.4, 0))
    found = figures(sounds, {OURS: [yielded, passed, passed], STOCK: [passed, passed, lost]}, 0.3, seed=1)
    assert found.sounds == {INTERRUPTION: (1, 1), BACKCHANNEL: (2, 1)}
    assert found.yields[OURS].p50.value == 0.4
    assert found.yields[STOCK].yields.value == 0.0
    assert found.selectivity[BACKCHANNEL][OURS].let_pass.value == 1.0
    assert found.selectivity[BACKCHANNEL][STOCK].let_pass == Interval(0.5, 0.5, 0.5)
    assert found.selectivity[BACKCHANNEL][STOCK].lost == ("x: Okay.",)


@pytest.mark.parametrize("text", ["Uh -huh, yep.", "Mm -hmm.", "YEAH!", "Okay. Alright.", "Mmm! .", "Oh, I see."])
def test_turns_that_only_acknowledge(text: str) -> None:
    assert is_acknowledgement(text, 0.6)
    assert not is_acknowledgement(text, 3.0)


@pytest.mark.parametrize("text", ["You know?", "2017.", "That's it.", "", "Okay, what is it?"])
def test_turns_that_say_more(text: str) -> None:
    assert not is_acknowledgement(text, 0.6)


def test_wordless_transcripts() -> None:
    assert [is_wordless(text) for text in ("", "Haha!", "2017.", "Oh!")] == [True, True, False, False]
    assert tidy("Uh -huh , yep . ") == "Uh-huh, yep."


def test_synthetic_coughs_are_as_loud_and_as_long_as_coughs() -> None:
    found = list(coughs())
    assert len(found) == 24
    for cough in found:
        assert cough.kind == COUGH
        assert 0.2 <= cough.end_s - cough.start_s <= 0.7
        assert 1000 < np.abs(cough.samples.astype(int)).max() < 32768


@pytest.mark.parametrize("system", [OURS, STOCK])
def test_sound_that_no_detector_hears_moves_no_system(system: str) -> None:
    found = over_agent.react(system, sound(COUGH), 0.3)
    assert found.is_unmoved()
    assert found.lets_pass()


@pytest.mark.parametrize("system", [OURS, STOCK])
def test_words_interrupt_both_systems(system: str) -> None:
    found = over_agent.react(system, sound(words="Stop, I meant the zoo."), 0.3)
    assert not found.lets_pass()


def test_backchannel_that_only_the_recogniser_hears_moves_stock_alone() -> None:
    yeah = sound(BACKCHANNEL, "Yeah.")
    assert over_agent.react(OURS, yeah, 0.3).lets_pass()
    assert not over_agent.react(STOCK, yeah, 0.3).lets_pass()


def test_cost_is_a_share_of_a_core() -> None:
    found = cost_figures(Cost(cpu_s=5.0, seconds=100.0, decisions_s=[0.01, 0.03, 0.05]))
    assert found == CostFigures(0.05, 3, 0.03, pytest.approx(0.048), 0.05)
    shown = cost_table({"fused": found, "v1-mini alone": CostFigures(0.02, 3, 0.02, 0.02, 0.02)})
    assert "| fused | 5.0% | +3.0% | 3 | 30 ms | 48 ms | 50 ms |" in shown
