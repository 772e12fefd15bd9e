"""Continue a call that another agent has begun, and keep this one for the next.

A process, a worker or a container may die in a call. The agent that follows reads from the room what was said, says
that the call was interrupted, and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit import api
from livekit.agents import Agent, AgentSession, CloseEvent, CloseReason, ConversationItemAddedEvent, JobContext

from agent_worker.core.log import logger
from agent_worker.core.sealed import Sealer
from agent_worker.core.settings import Settings
from agent_worker.lifecycle.redispatch import livekit_api
from agent_worker.room.conversation import (
    Conversation,
    Message,
    conversation_in,
    messages_of,
    with_conversation,
    without_conversation,
)
from agent_worker.text.messages import cut_off

_PURPOSE = "agent-worker conversation 1"
#: From a message to its place in the room: one write for what comes at once.
_DELAY_S = 0.3
#: Longer last words of the caller are not repeated.
_MAX_REPEATED_CHARS = 120

#: Changes the metadata of the room.
SetMetadata = Callable[[str], Awaitable[Any]]


def sealer_of(job: JobContext, settings: Settings) -> Sealer | None:
    """Return what encrypts the conversation of this room; ``None`` if it is not kept."""
    if not settings.call_continuation or job.is_fake_job():
        return None
    secret = settings.call_continuation_key or settings.livekit_api_secret
    return Sealer(secret.get_secret_value(), _PURPOSE, job.job.room.sid)


def earlier_conversation(job: JobContext, sealer: Sealer | None) -> Conversation | None:
    """Return the conversation that another agent had in the room; ``None`` if the caller has said nothing yet."""
    found = conversation_in(job.room.metadata, sealer) if sealer else None
    return found if found and found.last_words else None


async def remember(agent: Agent, conversation: Conversation) -> None:
    """Put an earlier conversation into the agent's history. Call it before ``session.start``."""
    history = agent.chat_ctx.copy()
    messages = conversation.messages[:-1] if conversation.unanswered else conversation.messages
    for message in messages:
        history.add_message(role=message.role, content=message.text)
    await agent.update_chat_ctx(history)


def go_on(session: AgentSession[Any], conversation: Conversation, language: str) -> None:
    """Say that the call was interrupted; answer what was not answered, else repeat what the caller said last."""
    apology, reminder = cut_off(conversation.language or language)
    if apology:
        session.say(apology)
    if conversation.unanswered:
        session.generate_reply(user_input=conversation.unanswered)
    elif reminder and len(conversation.last_words) <= _MAX_REPEATED_CHARS:
        session.say(f"{reminder} {conversation.last_words}")


class ConversationKeeper:
    """Keeps the conversation of a session in the metadata of its room.

    Args:
        room: The room; its metadata are kept up to date by LiveKit.
        sealer: Encrypts it.
        earlier: What another agent has begun.
        language: Of the caller.
        set_metadata: Changes the metadata of the room.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        room: Any,
        sealer: Sealer,
        earlier: Conversation | None,
        language: str,
        set_metadata: SetMetadata,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._room = room
        self._sealer = sealer
        self._earlier: tuple[Message, ...] = earlier.messages if earlier else ()
        if earlier and earlier.unanswered:
            self._earlier = self._earlier[:-1]  # the caller's words begin a turn of this session
        self._language = earlier.language if earlier and earlier.language else language
        self._set_metadata = set_metadata
        self._sleep = sleep
        self._changed = asyncio.Event()
        self._is_kept = earlier is not None
        self._is_over = False

    def use_language(self, language: str) -> None:
        """Note that the caller speaks another language."""
        self._language = language

    def attach(self, session: AgentSession[Any]) -> asyncio.Task[None]:
        """Keep the conversation from now on.

        Returns:
            The task that writes it. The end of the session cancels it.
        """

        def on_close(event: CloseEvent) -> None:
            task.cancel()
            self._is_over = event.reason is CloseReason.PARTICIPANT_DISCONNECTED

        def on_item(_: ConversationItemAddedEvent) -> None:
            self._changed.set()

        session.on("conversation_item_added", on_item)
        task = asyncio.create_task(self._keep(session), name="keep_conversation")
        session.once("close", on_close)
        return task

    async def forget_if_over(self) -> None:
        """Take the conversation out of the room if the caller has left: who comes there next may be somebody else."""
        metadata = without_conversation(self._room.metadata) if self._is_over and self._is_kept else None
        if metadata is not None:
            await self._write(metadata)

    async def _keep(self, session: AgentSession[Any]) -> None:
        while True:
            await self._changed.wait()
            await self._sleep(_DELAY_S)
            self._changed.clear()
            messages = (*self._earlier, *messages_of(session.history.items))
            metadata = with_conversation(self._room.metadata, Conversation(messages, self._language), self._sealer)
            if metadata is None:
                logger.warning("the room's metadata are no JSON object: another agent could not continue this call")
                return
            self._is_kept = True
            await self._write(metadata)

    async def _write(self, metadata: str) -> None:
        try:
            await self._set_metadata(metadata)
        except Exception as error:  # the room may be closing, or LiveKit restarting
            logger.debug("the metadata of the room could not be changed: %s", type(error).__name__)


def keep_conversation(
    job: JobContext, session: AgentSession[Any], sealer: Sealer, earlier: Conversation | None, settings: Settings
) -> ConversationKeeper:
    """Keep the conversation of a call for an agent that may have to continue it."""

    async def set_metadata(metadata: str) -> None:
        async with livekit_api(settings) as livekit:
            request = api.UpdateRoomMetadataRequest(room=job.job.room.name, metadata=metadata)
            await livekit.room.update_room_metadata(request)

    keeper = ConversationKeeper(job.room, sealer, earlier, settings.language, set_metadata)
    keeper.attach(session)
    job.add_shutdown_callback(keeper.forget_if_over)
    return keeper
