"""What the agent does when the caller is heard over its answer: sessions of agent-worker and of stock livekit-agents.

Both are real `AgentSession`s on simulated time, with the real voice activity detector and v1-mini; the recogniser, the
model and the voice are scripted. Definitions as in tau-voice (sierra-research/tau2-bench, "Speech Timeline Analysis
Methodology"): an interruption is yielded to if the agent falls silent within 2 s; of all other sounds, one within 1 s
is an error. An instant without speech shorter than its tick of 0.2 s counts as speech.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from livekit.agents import Agent, AgentSession, ConversationItemAddedEvent, inference

from agent_worker.app import call
from agent_worker.audio.output import PacedAudioOutput
from agent_worker.core.settings import Settings
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.factory import overlap_timing
from agent_worker.providers.stack import ProviderNames, VoiceStack
from agent_worker.testing import ScriptedLLM, ScriptedSTT, ScriptedTTS
from agent_worker.turn_taking import audio_input
from agent_worker.turn_taking.floor import Clock, Floor
from benchmarks.turn_taking import simulated_time
from benchmarks.turn_taking.caller_sounds import CallerSound
from benchmarks.turn_taking.loudspeaker import Heard, Loudspeaker, Microphone
from benchmarks.turn_taking.recordings import SAMPLE_RATE, spread

OURS, STOCK = "agent-worker", "stock livekit-agents"
#: The sound begins so long after the answer was asked for, 0.3 s before it is heard: later than the first 3 s of it, in
#: which livekit-agents mutes the recogniser in both systems.
HEARD_BEFORE_S = 4.0
YIELD_WINDOW_S = 2.0
STOP_WINDOW_S = 1.0
RELEASE_S = 0.3
_TICK_S = 0.2
_WATCHED_S = 4.5
_INTERIM_EVERY_S = 0.5
_QUESTION = "What can I see in the museum?"
_ANSWER = (
    "The museum shows paintings from four centuries in nineteen rooms on two floors. The oldest pictures hang on the "
    "ground floor, next to the entrance.",
    "On the first floor there are landscapes and portraits, and a room for drawings that changes twice a year. The "
    "garden behind the house has eleven sculptures in bronze and stone.",
)


@dataclass(frozen=True)
class Reaction:
    """What the agent did at one sound; instants in seconds from the caller's first sound.

    Attributes:
        heard: When the agent was heard, and with which of its segments; the answer is segment 0.
        turns: Turns of the caller that came of it.
    """

    heard: Sequence[Heard]
    turns: int

    def silences(self) -> list[tuple[float, float]]:
        """Return the stretches of a tick and more without the agent, from the first sound on."""
        found, last = [], 0.0
        for stretch in [*self.heard, Heard(math.inf, 0.0, 0)]:
            if stretch.start - last >= _TICK_S:
                found.append((last, stretch.start))
            last = max(last, stretch.end)
        return found

    def yield_s(self) -> float:
        """Return when the agent fell silent; NaN if not in time."""
        start = next((start for start, _ in self.silences()), np.inf)
        return start if start <= YIELD_WINDOW_S else float("nan")

    def speaks_again_before(self, end: float) -> bool:
        """Whether it is heard again, after it fell silent, while the caller speaks."""
        silences = self.silences()
        return bool(silences) and any(stretch.start < end for stretch in self.heard if stretch.start > silences[0][0])

    def silent_s(self, caller_end: float) -> float:
        """Return from when on the agent is silent while the caller speaks; the caller's end if it is not."""
        return max((min(stretch.end, caller_end) for stretch in self.heard if stretch.start < caller_end), default=0.0)

    def is_unmoved(self) -> bool:
        """Whether it did not fall silent: tau-voice's selectivity."""
        return not any(start <= STOP_WINDOW_S for start, _ in self.silences())

    def lets_pass(self) -> bool:
        """Whether the answer went on, and the sound became no turn."""
        last = self.heard[-1] if self.heard else None
        return not self.turns and last is not None and last.segment == 0

    def released_within(self, sound_end: float) -> bool:
        """Whether the answer was not held for longer than 0.3 s after the sound, and the sound let pass."""
        return self.lets_pass() and all(end <= sound_end + RELEASE_S for _, end in self.silences()[:-1])


@dataclass(frozen=True)
class Parts:
    """The scripted parts of a session."""

    ears: ScriptedSTT
    model: ScriptedLLM
    voice: ScriptedTTS
    loudspeaker: Loudspeaker
    microphone: Microphone
    now: Callable[[], float]


class _Latency(asyncio.Event):
    """Is set soon after it is waited for."""

    async def wait(self) -> Literal[True]:
        """Return after 0.3 s."""
        await asyncio.sleep(0.3)
        return True


def react(system: str, sound: CallerSound, recogniser_delay_s: float) -> Reaction:
    """Return what a system does at a sound.

    Args:
        system: ``OURS`` or ``STOCK``.
        sound: What the caller is heard with.
        recogniser_delay_s: Words arrive so long after they were said, final ones so long after the sound.
    """
    return simulated_time.run(lambda: _react(_SYSTEMS[system], sound, recogniser_delay_s))


async def _react(
    start: Callable[[Parts], Awaitable[AgentSession[Any]]], sound: CallerSound, recogniser_delay_s: float
) -> Reaction:
    loop = asyncio.get_running_loop()
    first_s = loop.time() + HEARD_BEFORE_S
    quiet = spread(sound.noise, round((HEARD_BEFORE_S - sound.start_s) * SAMPLE_RATE))
    after = spread(sound.noise, round(_WATCHED_S * SAMPLE_RATE))
    samples = np.concatenate([quiet, sound.samples, after])
    answer = " ".join([_ANSWER[0], sound.agent_says, _ANSWER[1]])
    parts = Parts(
        ScriptedSTT(),
        ScriptedLLM(answer, gate=_Latency()),
        ScriptedTTS(),
        Loudspeaker(loop.time),
        Microphone(samples, loop.time),
        loop.time,
    )
    session = await start(parts)
    turns: list[str] = []
    session.on("conversation_item_added", lambda event: _note_turn(event, turns))
    session.generate_reply(user_input=_QUESTION)
    for at, is_final, words in transcripts(sound, recogniser_delay_s):
        say = parts.ears.final if is_final else parts.ears.interim
        loop.call_at(first_s + at, say, words)
    await asyncio.sleep(HEARD_BEFORE_S + sound.end_s - sound.start_s + _WATCHED_S)
    heard = [Heard(it.start - first_s, it.end - first_s, it.segment) for it in parts.loudspeaker.heard()]
    became = len(turns) - 1
    await session.aclose()  # which makes a turn of the words that are left
    return Reaction([it for it in heard if it.end > 0], became)


def _note_turn(event: ConversationItemAddedEvent, turns: list[str]) -> None:
    if event.item.type == "message" and event.item.role == "user":
        turns.append(event.item.text_content or "")


def transcripts(sound: CallerSound, delay_s: float) -> list[tuple[float, bool, str]]:
    """Return when a recogniser that streams gives which words, from the first sound: (seconds, final, words).

    Each stretch of voice has its share of the words, evenly spread; it is final ``delay_s`` after its end.
    """
    words, found, given = sound.words.split(), [], 0
    total_s = sum(end - start for start, end in sound.voiced)
    before_s = 0.0
    for start, end in sound.voiced:
        before_s += end - start
        upto = round(len(words) * before_s / total_s)
        mine = words[given:upto]
        steps = np.arange(_INTERIM_EVERY_S, end - start, _INTERIM_EVERY_S)
        for step in steps:
            said = mine[: round(len(mine) * step / (end - start))]
            if said:
                found.append((start + step + delay_s - sound.start_s, False, " ".join(said)))
        if mine:
            found.append((end + delay_s - sound.start_s, True, " ".join(mine)))
        given = upto
    return found


async def _start_ours(parts: Parts) -> AgentSession[Any]:
    """Start a session as a call does, with the defaults of the settings but for the detector of the end of the turn."""
    settings = Settings.model_validate(
        {
            "livekit_url": "ws://localhost:7880",
            "livekit_api_key": "devkey",
            "livekit_api_secret": "secret",
            "turn_detector": "livekit-mini",
        }
    )
    names = ProviderNames("scripted", "scripted", "scripted")
    stack = VoiceStack(parts.ears, ScriptedLLM("Yes."), parts.model, parts.voice, inference.VAD(), "scripted", names)
    loop = asyncio.get_running_loop()
    floor = Floor(
        settings.language,
        overlap_timing(settings),
        settings.tool_delay,
        Clock(parts.now, loop.call_later, asyncio.sleep),
    )
    agent = PreResponseAgent(
        instructions=settings.system_prompt, strategy="off", language=settings.language, floor=floor
    )
    session = call.build_session(stack, settings)
    session.output.audio, session.input.audio = parts.loudspeaker, parts.microphone
    await session.start(agent)
    assert session.output.audio is not None
    session.output.audio = PacedAudioOutput(session.output.audio, parts.now)
    floor.attach(session)
    agent.watch_audio(audio_input.attach(session))
    call.take_turns(session, agent, settings)
    return session


async def _start_stock(parts: Parts) -> AgentSession[Any]:
    """Start a session of livekit-agents with its defaults, as its quickstart does without an account of its cloud."""
    session = AgentSession[Any](
        stt=parts.ears,
        llm=parts.model,
        tts=parts.voice,
        vad=inference.VAD(),
        turn_handling={"turn_detection": inference.TurnDetector(version="v1-mini")},
    )
    session.output.audio, session.input.audio = parts.loudspeaker, parts.microphone
    await session.start(Agent(instructions="You help."))
    return session


_SYSTEMS: dict[str, Callable[[Parts], Awaitable[AgentSession[Any]]]] = {OURS: _start_ours, STOCK: _start_stock}
