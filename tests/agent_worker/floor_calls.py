"""Calls in which caller and agent take turns: the test scripts sounds, words and the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from livekit.agents import AgentSession, function_tool, llm

from agent_worker.telemetry.record import TurnRecord
from agent_worker.telemetry.recorder import TurnRecorder
from agent_worker.testing import (
    ManualAudioOutput,
    ScriptedLLM,
    ScriptedSTT,
    ScriptedTTS,
    ScriptedVAD,
    SilentMicrophone,
)
from agent_worker.turn_taking.floor import Clock, Floor
from agent_worker.turn_taking.overlap import OverlapTiming
from agent_worker.turn_taking.voice_activity import ObservedVAD
from tests.agent_worker.museum import museum_agent
from tests.waiting import settle, until

QUESTION = "What time does the museum open?"
ANSWER = (
    "The museum opens at nine on weekdays. On Saturdays and Sundays it opens at ten. The last entry is at five, and "
    "the garden stays open until the evening."
)
_SENTENCES = [sentence.strip() + "." for sentence in ANSWER.split(".") if sentence.strip()]


class FakeTime:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self._calls: list[_Call] = []

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.call_later, self.sleep)

    def call_later(self, delay_s: float, function: Callable[[], None]) -> _Call:
        call = _Call(self.now + delay_s, function)
        self._calls.append(call)
        return call

    async def sleep(self, delay_s: float) -> None:
        over = asyncio.Event()
        self.call_later(delay_s, over.set)
        await over.wait()

    def pass_(self, seconds: float) -> None:
        end = round(self.now + seconds, 6)
        while due := [call for call in self._calls if call.at <= end and not call.cancelled]:
            first = min(due, key=lambda call: call.at)
            self._calls.remove(first)
            self.now = max(self.now, first.at)
            first.function()
        self.now = end


@dataclass
class _Call:
    at: float
    function: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Call:
    """One call. The agent's answer is sent when ``gate`` is set."""

    session: AgentSession[Any]
    main: ScriptedLLM
    gate: asyncio.Event
    ears: ScriptedSTT
    vad: ScriptedVAD
    voice: ScriptedTTS
    loudspeaker: ManualAudioOutput
    time: FakeTime
    tool_runs: list[str]
    records: list[TurnRecord] = field(default_factory=list)

    @property
    def messages(self) -> list[tuple[str, str]]:
        return [
            (item.role, item.text_content or "")
            for item in self.session.current_agent.chat_ctx.items
            if item.type == "message" and item.role in ("user", "assistant")
        ]

    @property
    def caller_turns(self) -> list[str]:
        return [text for role, text in self.messages if role == "user"]

    async def sound(self, seconds: float) -> None:
        """The caller is heard for so long; the detector reports the end 0.25 s later."""
        await self.begin_sound()
        await self.pass_(seconds - 0.1)
        await self.end_sound()

    async def begin_sound(self) -> None:
        self.vad.start_speech(0.1)
        await self.handled()

    async def pass_(self, seconds: float) -> None:
        """Let time pass with what is heard going on, in steps as short as the detector's."""
        steps = max(1, round(seconds / 0.05))
        for _ in range(steps):
            self.time.pass_(seconds / steps)
            if self.session.user_state == "speaking":
                self.vad.hear()
            await self.handled()

    async def end_sound(self) -> None:
        for silence_s in (0.05, 0.1, 0.15, 0.2):
            self.time.pass_(0.05)
            self.vad.hear(silence_s)
            await self.handled()
        self.time.pass_(0.05)
        self.vad.end_speech(silence_s=0.25)
        await self.handled()

    async def quiet(self, seconds: float) -> None:
        """Nothing is heard for so long."""
        self.time.pass_(seconds)
        await self.handled()

    async def final(self, text: str) -> None:
        self.ears.final(text)
        await self.handled()

    async def handled(self) -> None:
        """Return when livekit-agents has taken the scripted events."""
        await until(lambda: self.vad.events.empty() and self.ears.events.empty())
        for _ in range(5):
            await asyncio.sleep(0.001)

    async def say(self, text: str, seconds: float = 1.0) -> None:
        """A turn of the caller."""
        await self.sound(seconds)
        await self.final(text)

    async def hear_answer(self, question: str = QUESTION, *, heard_s: float = 3.0) -> None:
        """The caller asks, and has heard ``heard_s`` seconds of the answer."""
        self.gate.set()
        before = len(self.loudspeaker.segments)
        await self.say(question)
        await self.loudspeaker.wait_until(lambda it: len(it.segments) > before)
        await until(lambda: self.session.agent_state == "speaking")
        await self.quiet(heard_s)

    async def finish(self, *, segments: int) -> None:
        """The agent speaks to the end of its ``segments``-th segment."""
        await self.loudspeaker.wait_until(lambda it: it.complete >= segments)
        self.loudspeaker.play()
        await until(lambda: self.session.agent_state == "listening")

    @property
    def is_silent(self) -> bool:
        return self.loudspeaker.is_paused or not self.loudspeaker.is_playing


@asynccontextmanager
async def call(*answer: Any, **options: Any) -> AsyncIterator[Call]:
    """A call in which the agent answers ``ANSWER``, unless it is told otherwise.

    Args:
        *answer: The pieces of the answer.
        **options: Options of the agent; ``tool_call``: the model calls ``book`` in its first reply;
            ``every_turn``: in the first reply to each turn; ``tool_delay``: see ``Floor``.
    """
    time, runs, gate = FakeTime(), list[str](), asyncio.Event()
    language = options.pop("language", "en")
    calls_tool, every_turn = options.pop("calls_tool", False), options.pop("every_turn", False)
    tool_delay_s = options.pop("tool_delay", 0.8)

    @function_tool
    async def book() -> str:
        """Book a table."""
        runs.append("book")
        return "booked"

    tool_call = llm.FunctionToolCall(name="book", arguments="{}", call_id="1") if calls_tool or every_turn else None
    kind = _LLMForEachTurn if every_turn else ScriptedLLM
    main = kind(*(answer or [sentence + " " for sentence in _SENTENCES]), gate=gate, tool_call=tool_call)
    ears, vad, voice = ScriptedSTT(), ScriptedVAD(), ScriptedTTS()
    loudspeaker = ManualAudioOutput(can_pause=True)
    floor = Floor(language, OverlapTiming(), tool_delay_s, time.clock())
    standard: dict[str, Any] = {"strategy": "off", "tools": [book]}
    agent = museum_agent(floor=floor, language=language, **{**standard, **options})
    handling: Any = {
        "turn_detection": "vad",
        "endpointing": {"min_delay": 0.02, "max_delay": 0.02},
        "interruption": {"mode": "vad", "min_duration": 86_400.0},
        "preemptive_generation": {"enabled": True, "preemptive_tts": True},
    }
    session = AgentSession[Any](
        stt=ears, llm=main, tts=voice, vad=ObservedVAD(vad), turn_handling=handling, aec_warmup_duration=0
    )
    async with session:
        records: list[TurnRecord] = []
        recorder = TurnRecorder(session, records.append)
        agent.events.on("turn_reopened", recorder.withdraw)
        session.output.audio = loudspeaker
        session.input.audio = SilentMicrophone()
        await session.start(agent)
        floor.attach(session)
        recorder.watch_audio(session.output.audio)
        yield Call(session, main, gate, ears, vad, voice, loudspeaker, time, runs, records)


class _LLMForEachTurn(ScriptedLLM):
    """Calls its tool in the first reply to each turn of the caller."""

    def chat(self, *, chat_ctx: llm.ChatContext, **options: Any) -> llm.LLMStream:
        last = chat_ctx.items[-1]
        self.requests.clear()
        if last.type == "function_call_output":
            self.requests.append(chat_ctx)
        return super().chat(chat_ctx=chat_ctx, **options)


__all__ = ["ANSWER", "QUESTION", "Call", "FakeTime", "call", "settle", "until"]
