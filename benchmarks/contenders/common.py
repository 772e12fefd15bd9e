"""What the LiveKit contenders share: the providers, by the same variables as our worker, and a worker around them.

Nothing here decides when or what an agent says: that is in the scripts, and is all that they differ in.
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

from agent_worker.core.settings import DEFAULT_SYSTEM_PROMPT, CloudSettings
from agent_worker.room.topics import TURN_TOPIC

INSTRUCTIONS = os.environ.get("SYSTEM_PROMPT") or DEFAULT_SYSTEM_PROMPT
MAX_ANSWER_CHARS = int(os.environ.get("ANSWER_MAX_TOKENS") or 0) or NOT_GIVEN
"""Of our worker too: how long an answer's first sentence is decides when it is heard."""
FAST_MODEL: str = CloudSettings.model_fields["groq_fast_model"].default
MAIN_MODEL: str = CloudSettings.model_fields["groq_main_model"].default


def hearing() -> deepgram.STT:
    return deepgram.STT(model="nova-3", language="en", base_url=os.environ["DEEPGRAM_BASE_URL"])


def language_model(model: str) -> groq.LLM:
    return groq.LLM(model=model, base_url=os.environ["GROQ_BASE_URL"], max_completion_tokens=MAX_ANSWER_CHARS)


def voice() -> openai.TTS:
    return openai.TTS(
        model="gpt-4o-mini-tts", voice="ash", base_url=os.environ["OPENAI_BASE_URL"], response_format="pcm"
    )


def serve(entrypoint: Callable[[JobContext], Awaitable[None]]) -> None:
    """Register as AGENT_NAME and take every call that it is dispatched to; `start` unless told otherwise."""
    server = AgentServer(
        num_idle_processes=1,
        port=0,
        # Everything shares one machine here: how busy it is does not say whether this worker can take a call. LiveKit
        # gives a worker that says it is busy no call, whatever its own threshold is.
        load_fnc=_not_busy,
    )
    server.rtc_session(entrypoint, agent_name=os.environ["AGENT_NAME"])
    cli.run_app(server)


def _not_busy(_: AgentServer) -> float:
    return 0.0


def report_turns(session: AgentSession[Any], room: rtc.Room) -> None:
    """Publish each turn's end-of-turn delay, as livekit-agents measures it itself, where our worker does."""
    sending: set[asyncio.Task[Any]] = set()

    @session.on("conversation_item_added")
    def _on_item(event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, ChatMessage) and event.item.role == "user":
            names = ("end_of_turn_delay", "transcription_delay")
            record = json.dumps({name: event.item.metrics.get(name) for name in names})
            task = asyncio.create_task(room.local_participant.send_text(record, topic=TURN_TOPIC))
            sending.add(task)
            task.add_done_callback(sending.discard)
