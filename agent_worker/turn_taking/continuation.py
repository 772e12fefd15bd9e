"""Decide whether the caller's words continue the turn that was taken to have ended, and take that end back."""

from __future__ import annotations

from dataclasses import dataclass

from livekit.agents import llm

#: An answer of which no more was heard was not what the caller reacts to.
MAX_HEARD_ANSWER_S = 1.0


@dataclass(frozen=True)
class EndedTurn:
    """A turn of the caller whose reply is not over.

    Attributes:
        message_id: Id of the caller's message in the chat history.
        text: The caller's words.
        ended_at: When the turn was taken to have ended.
    """

    message_id: str
    text: str
    ended_at: float


@dataclass(frozen=True)
class ReopenedTurn:
    """A turn whose end has been taken back.

    Attributes:
        message_id: Id of the caller's message, which is no longer part of the conversation.
        text: The caller's words so far; those to come are added to them.
        preresponse_heard: Whether the caller has heard a pre-response to them.
    """

    message_id: str
    text: str
    preresponse_heard: bool


def continues(turn: EndedTurn | None, sound_start: float | None, heard_of_answer_s: float, has_acted: bool) -> bool:
    """Return whether new words belong to the turn that was taken to have ended.

    Args:
        turn: The turn; ``None`` if the agent does not reply to one.
        sound_start: When the caller's sound began to which the words belong; ``None`` if it was not detected.
        heard_of_answer_s: For how long the answer had been heard when that sound began.
        has_acted: Whether a tool with side effects runs or has run for the turn.
    """
    if turn is None or has_acted:
        return False
    is_same_sound = sound_start is not None and sound_start <= turn.ended_at
    return is_same_sound or heard_of_answer_s <= MAX_HEARD_ANSWER_S


def without_turn(chat_ctx: llm.ChatContext, message_id: str) -> llm.ChatContext:
    """Return the chat history without the caller's message and what the agent said and read since.

    Args:
        chat_ctx: The history, which stays as it is.
        message_id: Id of the caller's message.
    """
    items = chat_ctx.items
    first = next((index for index, item in enumerate(items) if item.id == message_id), len(items))
    kept = [item for item in items[first:] if item.id != message_id and not _is_reply(item)]
    return llm.ChatContext([*items[:first], *kept])


def _is_reply(item: llm.ChatItem) -> bool:
    if item.type == "message":
        return item.role == "assistant"
    return item.type in ("function_call", "function_call_output")
