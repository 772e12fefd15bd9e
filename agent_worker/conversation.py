"""One call: from the job's arrival to the end of the session."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, JobContext, inference

from agent_worker.log import keep_personal_data_out, logger
from agent_worker.measurement import TurnRecord, measure
from agent_worker.playout import pace
from agent_worker.preresponse import DEFAULT_PRERESPONSE_PROMPT, PreResponseAgent
from agent_worker.settings import Settings
from agent_worker.stack import VoiceStack
from agent_worker.topics import TURN_TOPIC


async def hold_conversation(job: JobContext, stack: VoiceStack, settings: Settings) -> None:
    """Join the room and begin to talk. The session goes on by itself until the caller leaves."""
    keep_personal_data_out()
    session = build_session(stack)
    measure(session, stack, on_turn=_TurnPublisher(job.room))
    # The call is over then; without this the agent would wait in the empty room, and a draining worker with it.
    session.once("close", lambda _: job.shutdown(reason="the conversation has ended"))
    await session.start(agent=build_agent(stack, settings), room=job.room)
    pace(session)
    if not settings.no_greeting:
        session.say(settings.greeting)


def build_session(stack: VoiceStack) -> AgentSession[Any]:
    return AgentSession(
        stt=stack.stt,
        llm=stack.main_llm,
        tts=stack.tts,
        vad=stack.vad,
        turn_handling={
            # The models that run in this process: the default ones need a LiveKit Cloud account.
            "turn_detection": inference.TurnDetector(version="v1-mini"),
            "interruption": {"mode": "vad"},
            # The pre-response may be asked for and synthesised before the end of turn is certain; its audio
            # waits until it is.
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
    )


def build_agent(stack: VoiceStack, settings: Settings) -> PreResponseAgent:
    return PreResponseAgent(
        instructions=settings.system_prompt,
        fast_llm=stack.fast_llm if settings.preresponse_strategy == "llm" else None,
        preresponse_prompt=settings.preresponse_prompt or DEFAULT_PRERESPONSE_PROMPT,
    )


class _TurnPublisher:
    """Sends turn records to the room, so that a page or a test can show them."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._sending: set[asyncio.Task[None]] = set()

    def __call__(self, record: TurnRecord) -> None:
        task = asyncio.create_task(self._send(json.dumps(dataclasses.asdict(record))))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, record: str) -> None:
        try:
            await self._room.local_participant.send_text(record, topic=TURN_TOPIC)
        except Exception as error:  # the room may be closing; a turn record is never worth a call
            logger.debug("turn record not sent: %s", error)
