"""Whatever a model writes around its reasoning, and wherever the stream is cut: no word of it is passed on."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from agent_worker.text.reasoning import ReasoningFilter
from tests.hostile.strategies import ANY_TEXT

#: Words that only reasoning holds, in these tests.
_SECRET = re.compile("secret|geheim")

_PAIRS = (
    *(("<think>", "</think>"), ("<Thinking>", "</Thinking>"), ('<thought depth="2">', "</thought>")),
    *(("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"), ("<|channel>thought\n", "<channel|>")),
    *(("<|START_THINKING|>", "<|END_THINKING|>"), ("<|channel|>analysis<|message|>", "<|end|>")),
)
_REASONING = st.lists(
    st.sampled_from(["secret ", "geheim, ", "\n", "1. ", "<b>", "a < b ", "| ", "{}", "🙂", "Wait. "]), max_size=12
).map("".join)


@st.composite
def _thought(draw: st.DrawFn) -> str:
    opening, closing = draw(st.sampled_from(_PAIRS))
    inner = draw(st.one_of(_REASONING, st.builds("{}<think>{}</think>{}".format, _REASONING, _REASONING, _REASONING)))
    return f"{opening}secret {inner}{closing}"


_VISIBLE = st.sampled_from(["It opens at nine. ", "Nine, ", "3 < 4 ", "[so] ", "\n", "Come early! "])
_ANSWERS = st.lists(st.one_of(_VISIBLE, _thought()), min_size=1, max_size=6)


@st.composite
def _cut(draw: st.DrawFn, parts: list[str]) -> list[str]:
    text = "".join(parts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=20)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def passed(pieces: list[str]) -> str:
    reasoning = ReasoningFilter()
    return "".join(map(reasoning.push, pieces)) + reasoning.flush()


@given(_ANSWERS, st.data())
@example(["It opens at nine. ", "<think>secret <think>geheim</think>secret</think>"], None)
def test_no_word_of_reasoning_is_passed_on_and_every_word_of_the_answer(parts: list[str], data: st.DataObject) -> None:
    expected = "".join(part for part in parts if not _SECRET.search(part))
    pieces = [*"".join(parts)] if data is None else data.draw(_cut(parts))
    assert passed(pieces) == expected


@given(_thought(), st.data())
def test_reasoning_that_breaks_off_anywhere_is_not_passed_on(thought: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(len(thought) // 2, len(thought)))
    assert not _SECRET.search(passed([*thought[:end]]))


@given(st.lists(st.one_of(ANY_TEXT, st.sampled_from([tag for pair in _PAIRS for tag in pair])), max_size=10))
def test_every_text_is_accepted_and_nothing_is_added(pieces: list[str]) -> None:
    whole = "".join(pieces)
    rest = iter(whole)
    assert all(character in rest for character in passed(pieces) if character != " ")  # a tag may separate words
