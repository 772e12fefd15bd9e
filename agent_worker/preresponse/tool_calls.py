"""Tool calls whose arguments cannot be read: the model is told, and the tool does not run with guesses."""

from __future__ import annotations

import json
import re

from livekit.agents import llm, utils

from agent_worker.text.tool_text import WrittenCall

#: What the model reads in the place of a result. livekit-agents refuses arguments that are a sentence, and quotes it.
BROKEN_ARGUMENTS = (
    "the arguments broke off before their end, so the tool did not run; call it again, with short arguments"
)

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def as_function_call(call: WrittenCall) -> llm.FunctionToolCall:
    """Return a call that was written as text as livekit-agents expects it."""
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return llm.FunctionToolCall(name=call.name, arguments=arguments, call_id=utils.shortuuid("call_"))


def with_checked_arguments(call: llm.FunctionToolCall) -> llm.FunctionToolCall:
    """Return the call so that livekit-agents refuses it if its arguments broke off.

    livekit-agents repairs what does not parse. That is right for a quotation mark of the wrong kind; but arguments that
    were cut off by ``max_tokens``, or by the connection, would become others that the model did not mean.
    """
    if _are_whole(call.arguments):
        return call
    return call.model_copy(update={"arguments": json.dumps(BROKEN_ARGUMENTS)})


def with_readable_arguments(chat_ctx: llm.ChatContext) -> llm.ChatContext:
    """Return the request with ``{}`` for arguments that cannot be read: servers refuse the whole request for them.

    The result of such a call, which says what was wrong, stays.

    Args:
        chat_ctx: The request, which stays as it is.
    """
    return llm.ChatContext([_with_readable_arguments(item) for item in chat_ctx.items])


def _with_readable_arguments(item: llm.ChatItem) -> llm.ChatItem:
    if item.type != "function_call" or _is_object(item.arguments):
        return item
    return item.model_copy(update={"arguments": "{}"})


def _are_whole(arguments: str) -> bool:
    """Whether arguments are written to their end, correctly or not."""
    text = arguments.strip()
    return not text or _parses(text) or (text.endswith("}") and _is_balanced(text))


def _is_balanced(text: str) -> bool:
    """Whether every string and every bracket of a text is closed."""
    without_strings = _STRING.sub("", text)
    return '"' not in without_strings and all(
        without_strings.count(opening) == without_strings.count(closing) for opening, closing in ("{}", "[]")
    )


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
