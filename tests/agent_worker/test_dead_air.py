"""While tools work or the main model is slow, the caller is not left in silence, and nothing is said twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import APIConnectionError, RunContext, function_tool, llm
from livekit.agents.voice import SpeechHandle

from agent_worker import report_progress
from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.core.progress import REASONING_CHARS_KEY
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.dead_air import DeadAir, Line
from agent_worker.preresponse.phrases import PhraseBook, built_in_languages
from agent_worker.testing import ScriptedLLM, ScriptedTTS
from agent_worker.text.messages import tool_timeout
from agent_worker.text.move import Move
from agent_worker.turn_taking.call_silence import CallSilence
from tests.agent_worker.floor_calls import QUESTION, Call, FakeTime, call
from tests.agent_worker.museum import PHRASE
from tests.waiting import settle, until

FILLERS = PhraseBook.load("en").fillers
STEP_S = 0.25


@dataclass
class Work:
    """A tool that returns when the test says so.

    Attributes:
        started: Set when it has been called; the contexts of its calls are in ``contexts``.
        done: Set by the test: it returns.
        calls_again: It is called a second time by the main model.
    """

    calls_again: bool = False
    started: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    contexts: list[RunContext[Any]] = field(default_factory=list)
    cancelled: int = 0
    is_over: bool = False
    main: Any = None

    def tool(self) -> Any:
        @function_tool
        async def book(context: RunContext[Any]) -> str:
            """Book a table."""
            self.contexts.append(context)
            self.started.set()
            try:
                while not self.is_over and not self.done.is_set():
                    await self.done.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            self.done.clear()
            if self.calls_again and len(self.contexts) == 1:
                self.main.requests.clear()
                self.main.tool_call = llm.FunctionToolCall(name="book", arguments="{}", call_id="2")
            return "booked"

        return book


@asynccontextmanager
async def working(*answer: str, work: Work | None = None, **options: Any) -> AsyncIterator[tuple[Call, Work]]:
    """A call whose main model calls a tool, which is at work."""
    work = work or Work()
    phrases = PhraseBook("en", {Move.LOOK_UP: [PHRASE], "waiting": FILLERS})
    standard: dict[str, Any] = {
        "tools": [work.tool()],
        "early_tools": ["book"],
        "strategy": "phrase",
        "phrases": phrases,
        "filler_delay": 2.5,
    }
    async with call(*(answer or ("It is booked.",)), calls_tool=True, **{**standard, **options}) as now:
        work.main = now.main
        now.loudspeaker.automatic = True
        now.gate.set()
        await now.say(QUESTION)
        await work.started.wait()
        await until(lambda: now.session.current_speech is None)
        await now.handled()
        try:
            yield now, work
        finally:
            work.is_over = True
            work.done.set()


async def spoken_times(now: Call, seconds: float) -> list[float]:
    """Let time pass and return when something was said, in seconds from the beginning."""
    began = now.time.now
    times: list[float] = []
    for _ in range(round(seconds / STEP_S)):
        before = len(now.voice.texts)
        await now.quiet(STEP_S)
        if len(now.voice.texts) > before:  # it takes some turns of the loop from the voice to the loudspeaker
            times.append(now.time.now - began)
            await until(lambda: now.loudspeaker.complete >= len(now.voice.texts))
            await until(lambda: not now.loudspeaker.is_playing)
    return times


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in zip([0.0, *times], times, strict=False)]


@pytest.mark.parametrize("seconds", [4.0, 9.0, 25.0])
async def test_slow_tool_is_no_dead_air_and_nothing_is_said_twice(seconds: float) -> None:
    async with working() as (now, work):
        times = await spoken_times(now, seconds)
        assert times
        assert times[0] <= 2.5
        assert all(gap <= 6.0 for gap in gaps(times))
        assert seconds - times[-1] <= 6.0
        work.done.set()
        await until(lambda: now.voice.texts[-1] == "It is booked.")
        await now.quiet(30.0)
        assert len(now.voice.texts) == len(set(now.voice.texts)) == 2 + len(times)
        assert set(now.voice.texts[1:-1]) <= set(FILLERS)


async def test_result_that_comes_in_time_is_not_delayed_by_a_filler() -> None:
    async with working() as (now, work):
        await now.quiet(2.3)
        work.done.set()
        await until(lambda: now.session.agent_state == "listening")
        assert now.voice.texts == [PHRASE, "It is booked."]


@pytest.mark.parametrize("heard", [False, True])
async def test_filler_that_is_not_heard_yet_is_withdrawn_by_the_result(heard: bool) -> None:
    time, said = FakeTime(), list[Any]()
    dead_air = DeadAir(CallSilence(time.clock()), time.clock(), FILLERS, 2.5)

    def say(_: Line) -> Any:
        said.append(SpeechHandle.create())
        return said[-1]

    session: Any = SimpleNamespace(current_speech=None)
    dead_air.start_tools(session, None, say)
    await settle()
    time.pass_(2.5)
    await until(lambda: said)
    if heard:
        dead_air.silence.on_playback_started()
    dead_air.stop()
    assert said[0].interrupted is not heard


@pytest.mark.parametrize("halves", [(2.0, 2.0), (1.0, 4.0), (4.0, 4.0)])
async def test_two_tools_one_after_the_other_are_one_silence(halves: tuple[float, float]) -> None:
    async with working(work=Work(calls_again=True)) as (now, work):
        first = await spoken_times(now, halves[0])
        work.done.set()
        await until(lambda: len(work.contexts) == 2)
        await now.handled()
        times = [*first, *(halves[0] + time for time in await spoken_times(now, halves[1]))]
        assert times[0] <= 2.5 + STEP_S
        assert all(gap <= 6.0 for gap in gaps(times))
        work.done.set()
        await until(lambda: now.voice.texts[-1] == "It is booked.")
        assert len(now.voice.texts) == len(set(now.voice.texts))


@pytest.mark.parametrize("strategy", ["phrase", "off"])
async def test_slow_main_model_is_no_dead_air(strategy: str) -> None:
    phrases = PhraseBook("en", {Move.LOOK_UP: [PHRASE], "waiting": FILLERS})
    async with call("It opens at nine.", strategy=strategy, phrases=phrases, filler_delay=2.5) as now:
        now.loudspeaker.automatic = True
        await now.say(QUESTION)
        await until(lambda: now.session.agent_state == "thinking" or now.voice.texts)
        times = await spoken_times(now, 10.0)
        lead = now.voice.texts[:]
        assert len(lead) == len(set(lead)) >= 2
        assert all(gap <= 6.0 for gap in gaps(times))
        now.gate.set()
        await until(lambda: now.session.agent_state == "listening")
        assert now.voice.texts == [*lead, "It opens at nine."]
        assert now.messages[-1] == ("assistant", " ".join([*lead, "It opens at nine."]))
        (record,) = now.records
        assert (record.preresponse, record.answer) == (" ".join(lead), "It opens at nine.")
        assert record.preresponse_source == ("phrase" if strategy == "phrase" else "filler")
        await now.say("And when does it close?")
        await until(lambda: len(now.main.requests) == 2)
        history = [item.text_content for item in now.main.requests[1].items if item.type == "message"]
        assert "It opens at nine." in history  # as the main model wrote it


async def test_caller_who_waits_for_a_model_that_reasons_is_not_left_in_silence() -> None:
    phrases, done = PhraseBook("en", {Move.LOOK_UP: [PHRASE], "waiting": FILLERS}), asyncio.Event()
    thinks = [llm.ChoiceDelta(role="assistant", extra={REASONING_CHARS_KEY: 20})] * 12
    options = {"strategy": "phrase", "phrases": phrases, "filler_delay": 2.5, "fast_llm": ScriptedLLM("At ten.")}
    async with call(*thinks, done, "It opens at nine.", answer_timeout=600.0, **options) as now:
        now.loudspeaker.automatic = True
        now.gate.set()
        await now.say(QUESTION)
        await until(lambda: now.session.agent_state == "thinking" or now.voice.texts)
        times = await spoken_times(now, 10.0)
        assert len(times) >= 2
        assert all(gap <= 6.0 for gap in gaps(times))
        lead = now.voice.texts[:]
        done.set()
        await until(lambda: now.session.agent_state == "listening")
        assert now.voice.texts == [*lead, "It opens at nine."]


async def test_main_model_does_not_get_to_see_the_fillers_of_tools() -> None:
    async with working() as (now, work):
        await spoken_times(now, 9.0)
        work.done.set()
        await until(lambda: now.session.agent_state == "listening")
        texts = [item.text_content for item in now.main.requests[-1].items if item.type == "message"]
        assert not set(texts) & set(FILLERS)
        (record,) = now.records
        assert record.answer == "It is booked."
        assert record.preresponse == " ".join(now.voice.texts[:-1])


async def test_fillers_do_not_begin_while_the_caller_speaks() -> None:
    async with working() as (now, _):
        await now.begin_sound()
        await now.pass_(4.0)
        assert now.voice.texts == [PHRASE]


async def test_caller_who_takes_the_floor_ends_the_fillers() -> None:
    async with working() as (now, work):
        await now.quiet(2.5)
        await until(lambda: len(now.voice.texts) == 2)
        now.session.interrupt()
        work.done.set()
        await until(lambda: now.session.agent_state == "listening")
        said = now.voice.texts[:]
        await now.quiet(30.0)
        assert now.voice.texts == said


@pytest.mark.parametrize("heard_out", [False, True])
@pytest.mark.parametrize("words", ["Thanks.", "No rush.", "Okay, thank you."])
async def test_thanks_over_or_after_a_filler_do_not_cost_the_answer(words: str, heard_out: bool) -> None:
    async with working() as (now, work):
        now.loudspeaker.automatic = False
        await now.quiet(2.5)
        await now.loudspeaker.wait_until(lambda it: it.complete == 2)
        await until(lambda: now.session.agent_state == "speaking")
        assert now.voice.texts[-1] in FILLERS
        await now.quiet(0.5)
        if heard_out:
            now.loudspeaker.play()
            await until(lambda: now.session.current_speech is None)
            await now.quiet(0.5)
        await now.sound(0.5)
        await now.final(words)
        await settle()
        work.done.set()
        now.loudspeaker.automatic = True
        now.loudspeaker.play()
        await until(lambda: now.session.agent_state == "listening")
        assert now.caller_turns == [QUESTION]
        assert now.messages[-1] == ("assistant", "It is booked.")


@pytest.mark.parametrize("language", ["ja", "fil", "zh-Hans"])
async def test_language_without_phrases_is_silent(language: str) -> None:
    async with working(language=language, phrases=PhraseBook.load(language)) as (now, _):
        assert await spoken_times(now, 20.0) == []


async def test_no_fillers_if_they_are_off() -> None:
    async with working(filler_delay=None) as (now, _):
        assert await spoken_times(now, 20.0) == []


async def test_when_everything_was_said_the_silence_stays() -> None:
    phrases = PhraseBook("en", {Move.LOOK_UP: [PHRASE], "waiting": FILLERS[:2]})
    async with working(phrases=phrases) as (now, _):
        await spoken_times(now, 25.0)
        assert sorted(now.voice.texts) == sorted([PHRASE, *FILLERS[:2]])


async def test_voice_that_fails_for_a_filler_does_not_cost_the_answer() -> None:
    async with working() as (now, work):
        now.voice.error = APIConnectionError()
        await now.quiet(2.5)
        await until(lambda: len(now.voice.texts) == 2)
        now.voice.error = None
        work.done.set()
        await until(lambda: now.voice.texts[-1] == "It is booked.")


async def test_tool_reports_in_words_instead_of_a_filler() -> None:
    report = "I have found three tables."
    async with working() as (now, work):
        report_progress(work.contexts[0], report)
        await now.quiet(0.5)
        assert now.voice.texts == [PHRASE]
        await spoken_times(now, 0.5)
        assert now.voice.texts == [PHRASE, report]
        report_progress(work.contexts[0], report)  # it has been said
        await now.quiet(2.0)
        assert now.voice.texts == [PHRASE, report]
        await spoken_times(now, 4.0)
        assert len(now.voice.texts) == 3
        work.done.set()
        await until(lambda: now.session.agent_state == "listening")
        texts = [item.text_content for item in now.main.requests[-1].items if item.type == "message"]
        assert report in texts


@pytest.mark.parametrize("phrases", [PhraseBook("ja", {}), PhraseBook("en", {"waiting": FILLERS[:3]})])
async def test_last_report_before_a_pause_is_said_and_none_after_the_result(phrases: PhraseBook) -> None:
    async with working(phrases=phrases, strategy="off") as (now, work):
        for number in ("one", "two", "three"):
            report_progress(work.contexts[0], f"Step {number}.")
        await spoken_times(now, STEP_S)
        assert now.voice.texts == ["Step three."]
        report_progress(work.contexts[0], "Step four.")
        work.done.set()
        await until(lambda: now.session.agent_state == "listening")
        await now.quiet(10.0)
        assert now.voice.texts == ["Step three.", "It is booked."]


@pytest.mark.parametrize(("timeout", "language"), [(5.0, "en"), (12.0, "de"), (30.0, "pt-BR")])
async def test_tool_that_takes_too_long_is_given_up_and_the_model_is_told(timeout: float, language: str) -> None:
    async with working("Shall I try again?", tool_timeout=timeout, language=language) as (now, work):
        await now.quiet(timeout - 0.5)
        assert not work.cancelled
        await now.quiet(0.5)
        await until(lambda: now.messages[-1] == ("assistant", "Shall I try again?"))
        assert work.cancelled == 1
        assert now.messages[-2] == ("assistant", tool_timeout(language))
        (result,) = [item for item in now.main.requests[-1].items if item.type == "function_call_output"]
        assert result.is_error
        assert "No result" in result.output
        assert tool_timeout(language) in result.output


async def test_tool_that_returns_in_time_is_not_given_up() -> None:
    async with working(tool_timeout=5.0) as (now, work):
        await now.quiet(4.5)
        work.done.set()
        await until(lambda: now.session.agent_state == "listening")
        await now.quiet(10.0)
        assert now.voice.texts[-1] == "It is booked."
        assert not work.cancelled


@pytest.mark.parametrize("language", built_in_languages())
def test_every_language_has_fillers_for_a_minute_and_no_pre_response_is_among_them(language: str) -> None:
    book = PhraseBook.load(language)
    assert len(set(book.fillers)) == len(book.fillers) >= 10
    assert not set(book.fillers) & set(book.all())


def test_own_fillers_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "phrases.yaml"
    path.write_text("waiting: [Hold on., Still 3 minutes.]")
    with pytest.raises(Exception, match="holds a number"):
        PhraseBook.load("en", path)
    path.write_text("waiting: [Hold on.]")
    assert PhraseBook.load("en", path).fillers == ("Hold on.",)


async def test_fillers_with_cached_audio_are_not_synthesised_again(tmp_path: Path) -> None:
    audio = PhraseAudio(tmp_path, "voice")
    await audio.make([PHRASE, *FILLERS], ScriptedTTS())
    async with working(phrase_audio=audio) as (now, _):
        heard = len(now.loudspeaker.segments)
        await now.quiet(2.5)
        await until(lambda: len(now.loudspeaker.segments) > heard)
        assert not now.voice.texts


def test_agent_tells_which_texts_are_worth_synthesising() -> None:
    agent = PreResponseAgent(instructions="You help.")
    assert {*FILLERS, tool_timeout("en")} <= set(agent.fixed_texts)
    silent = PreResponseAgent(instructions="You help.", filler_delay=None, tool_timeout=None)
    assert not silent.waiting_texts
