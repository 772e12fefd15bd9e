"""Whatever a model writes, only calls of the agent's tools are made of it, and nothing else is lost."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from agent_worker.text.tool_text import ToolText, WrittenCall
from tests.hostile.model_text import FRAGMENTS, MODEL_PARTS, written
from tests.hostile.strategies import ANY_TEXT

TOOLS = ("opening_time", "x")
TEXTS = st.one_of(FRAGMENTS, MODEL_PARTS.map(written), ANY_TEXT)


def read(text: str, size: int) -> tuple[str, list[WrittenCall], bool]:
    tool_text = ToolText(TOOLS)
    pieces = [tool_text.push(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join(pieces) + tool_text.flush(), tool_text.calls, tool_text.has_unusable


@given(TEXTS, st.integers(1, 9))
def test_text_in_any_pieces_gives_the_calls_of_the_whole(text: str, size: int) -> None:
    assert read(text, size) == read(text, len(text) or 1)


@given(TEXTS)
@example("<function=x>" * 50)
@example('{"name": "x", "arguments": ' * 50)
@example("x(" * 200 + ")" * 200)
@example("<tool_call>x(a=" + "[" * 500 + "]" * 500 + ")</tool_call>")
def test_only_tools_of_the_agent_are_called_with_arguments_that_are_data(text: str) -> None:
    _, calls, _ = read(text, 7)
    for call in calls:
        assert call.name in TOOLS
        json.dumps(call.arguments)


@given(ANY_TEXT)
def test_text_without_marks_of_a_call_is_kept(text: str) -> None:
    text = "".join(character for character in text if character not in "<[{`x(")
    assert read(text, 3) == (text, [], False)
