"""Find the caller's message in a chat context, and wait until it is part of the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Container

from livekit.agents import Agent, ConversationItemAddedEvent, llm

#: How long the end of a turn is waited for. Nothing is audible before it, so a missed end costs only this wait.
TURN_END_TIMEOUT_S = 5.0


async def wait_for_turn_commit(agent: Agent, message_id: str) -> None:
    """Return when the caller's message is part of the conversation: the turn has ended and the reply will be spoken.

    ``llm_node`` often runs earlier, on a transcript that may still change.
    """
    added, session = asyncio.Event(), agent.session

    def on_item(event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, llm.ChatMessage) and event.item.id == message_id:
            added.set()

    session.on("conversation_item_added", on_item)
    try:
        if not any(item.id == message_id for item in agent.chat_ctx.items):
            await added.wait()
    finally:
        session.off("conversation_item_added", on_item)


def caller_message(chat_ctx: llm.ChatContext, history_ids: Container[str]) -> llm.ChatMessage | None:
    """Return what the caller just said; ``None`` if the model does not reply to the caller, as after a tool call.

    Args:
        chat_ctx: What the main model will see. A hook may have put notes behind the caller's message.
        history_ids: Ids of the items in the agent's own history.
    """
    for item in reversed(chat_ctx.items):
        if item.type != "message":
            return None
        if item.role == "user":
            return item
        if item.role == "assistant" and item.id in history_ids:
            return None
    return None


def last_message(chat_ctx: llm.ChatContext, role: llm.ChatRole) -> llm.ChatMessage | None:
    """Return the last message of this role."""
    return next((item for item in reversed(chat_ctx.items) if item.type == "message" and item.role == role), None)
