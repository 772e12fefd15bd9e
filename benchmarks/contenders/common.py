"""Providers, by the same environment variables as our worker, and a worker, for the contenders on livekit-agents.

The contenders differ only in when and what the agent says, which is in their scripts.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from livekit import rtc
from livekit.agents import (
    NOT_GIVEN,
    AgentServer,
    AgentSession,
    ChatMessage,
    ConversationItemAddedEvent,
    JobContext,
    cli,
)
from livekit.plugins import deepgram, groq, openai

from agent_worker.core.settings import DEFAULT_SYSTEM_PROMPT
from agent_worker.room.topics import TURN_TOPIC
from benchmarks.harness.simulation import MAIN_MODEL

INSTRUCTIONS = os.environ.get("SYSTEM_PROMPT") or DEFAULT_SYSTEM_PROMPT
_ANSWER_MAX_TOKENS = int(os.environ.get("ANSWER_MAX_TOKENS") or 0) or NOT_GIVEN
"""As for our worker: the length of an answer's first sentence decides when it is heard."""


def language_model(model: str) -> groq.LLM:
    """Return a model of Groq."""
    return groq.LLM(model=model, base_url=os.environ["GROQ_BASE_URL"], max_completion_tokens=_ANSWER_MAX_TOKENS)


def session(**options: Any) -> AgentSession[None]:
    """Return a session with the providers of our worker; ``options`` are the session's, all others are defaults."""
    tts = openai.TTS(
        model="gpt-4o-mini-tts", voice="ash", base_url=os.environ["OPENAI_BASE_URL"], response_format="pcm"
    )
    stt = deepgram.STT(model="nova-3", language="en", base_url=os.environ["DEEPGRAM_BASE_URL"])
    return AgentSession(**{"stt": stt, "llm": language_model(MAIN_MODEL), "tts": tts, **options})


def serve(entrypoint: Callable[[JobContext], Awaitable[None]]) -> None:
    """Register as AGENT_NAME and accept every dispatched call."""
    # All parts share one machine, so its load says nothing about the worker; LiveKit dispatches no call to a worker
    # that reports a high load, whatever the worker's own threshold is.
    server = AgentServer(num_idle_processes=1, port=0, load_fnc=_no_load)
    server.rtc_session(entrypoint, agent_name=os.environ["AGENT_NAME"])
    cli.run_app(server)


def _no_load(_: AgentServer) -> float:
    return 0.0


def publish_turns(session: AgentSession[Any], room: rtc.Room) -> None:
    """Publish each turn's end-of-turn delay by livekit-agents, on the topic of our worker's turn records."""
    sending: set[asyncio.Task[Any]] = set()

    @session.on("conversation_item_added")
    def _on_item(event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, ChatMessage) and event.item.role == "user":
            names = ("end_of_turn_delay", "transcription_delay")
            record = json.dumps({name: event.item.metrics.get(name) for name in names})
            task = asyncio.create_task(room.local_participant.send_text(record, topic=TURN_TOPIC))
            sending.add(task)
            task.add_done_callback(sending.discard)
