"""The history that is sent to the main model with each request: bounded, and without pre-responses.

Without a bound each turn costs more than the one before, because the whole conversation is sent again.
"""

from __future__ import annotations

from livekit.agents import llm

from agent_worker.telemetry.trace import FILLER_EXTRA_KEY, PRERESPONSE_EXTRA_KEY

#: Estimated tokens of history in a request to the main model, unless it is set.
DEFAULT_HISTORY_MAX_TOKENS = 8_000

#: English text has about four bytes to a token. A byte-level tokeniser never makes more than one token of a byte, so
#: no text has more than four times the estimated tokens.
_BYTES_PER_TOKEN = 4
#: Role and separators of an item.
_TOKENS_PER_ITEM = 4


def bounded_history(chat_ctx: llm.ChatContext, max_tokens: int) -> llm.ChatContext:
    """Return the request with its instructions and its last turns: at most ``max_tokens`` of them.

    A turn begins with the caller's message and includes tool calls and their results. The last turn is always kept
    whole, however long it is. Once the history is over ``max_tokens``, the oldest turns are dropped until half of it
    is left, and not one turn in each request: between two such steps requests begin with the same items, which
    providers have in their prompt cache.

    The result depends only on the items, so the same conversation is always cut at the same places.

    Args:
        chat_ctx: The request, which stays as it is. Instructions in front of the conversation are not counted.
        max_tokens: Estimated tokens of history: see :func:`estimated_tokens`.
    """
    instructions, turns = _split(chat_ctx.items)
    kept = turns[_first_kept([sum(map(estimated_tokens, turn)) for turn in turns], max_tokens) :]
    if len(kept) == len(turns):
        return chat_ctx
    return llm.ChatContext([*instructions, *_without_orphaned_results([item for turn in kept for item in turn])])


def without_preresponses(chat_ctx: llm.ChatContext) -> llm.ChatContext:
    """Return the request with the agent's earlier answers as the main model wrote them: without the pre-responses.

    A model whose history begins each answer with a phrase learns to begin with one. And an answer that is sent back as
    the model wrote it is in the prompt cache already: the model reads the caller's new words only.

    Fillers that were said while a tool worked are left out. A message that holds nothing but a pre-response, because
    the caller interrupted it, stays: some models refuse two messages of the caller in a row.

    Args:
        chat_ctx: The request, which stays as it is.
    """
    following: list[llm.ChatItem | None] = [*chat_ctx.items[1:], None]
    kept: list[llm.ChatItem] = []
    for item, follower in zip(chat_ctx.items, following, strict=True):
        separates = bool(kept) and _is_callers(kept[-1]) and (follower is None or _is_callers(follower))
        if not _is_filler(item) or separates:
            kept.append(_without_preresponse(item))
    return llm.ChatContext(kept)


def _is_callers(item: llm.ChatItem) -> bool:
    return item.type == "message" and item.role == "user"


def _is_filler(item: llm.ChatItem) -> bool:
    return item.type == "message" and FILLER_EXTRA_KEY in item.extra


def _without_preresponse(item: llm.ChatItem) -> llm.ChatItem:
    if item.type != "message" or not (spoken := item.extra.get(PRERESPONSE_EXTRA_KEY)):
        return item
    text = item.text_content or ""
    answer = text.removeprefix(spoken).lstrip()
    return item.model_copy(update={"content": [answer]}) if answer and answer != text else item


def estimated_tokens(item: llm.ChatItem) -> int:
    """Estimate the tokens of an item, from the UTF-8 bytes of its text. Images and audio are not counted."""
    if item.type == "message":
        text = item.text_content or ""
    elif item.type == "function_call":
        text = item.name + item.arguments
    elif item.type == "function_call_output":
        text = item.output
    else:
        return 0
    return _TOKENS_PER_ITEM + len(text.encode(errors="replace")) // _BYTES_PER_TOKEN


def _split(items: list[llm.ChatItem]) -> tuple[list[llm.ChatItem], list[list[llm.ChatItem]]]:
    """Split the items into the leading instructions and the turns."""
    first = next((index for index, item in enumerate(items) if not _is_instruction(item)), len(items))
    turns: list[list[llm.ChatItem]] = []
    for item in items[first:]:
        if not turns or (item.type == "message" and item.role == "user"):
            turns.append([])
        turns[-1].append(item)
    return items[:first], turns


def _is_instruction(item: llm.ChatItem) -> bool:
    if item.type == "message":
        return item.role in ("system", "developer")
    return item.type in ("agent_config_update", "agent_handoff")


def _first_kept(tokens_of_turns: list[int], max_tokens: int) -> int:
    """Return the index of the first kept turn: go through the conversation as it grew, and drop turns at each limit."""
    first, total = 0, 0
    for index, tokens in enumerate(tokens_of_turns):
        total += tokens
        if total > max_tokens:
            while first < index and total > max_tokens // 2:
                total -= tokens_of_turns[first]
                first += 1
    return first


def _without_orphaned_results(items: list[llm.ChatItem]) -> list[llm.ChatItem]:
    """Drop the results whose calls were dropped: a tool may return in a later turn."""
    calls = {item.call_id for item in items if item.type == "function_call"}
    return [item for item in items if item.type != "function_call_output" or item.call_id in calls]
