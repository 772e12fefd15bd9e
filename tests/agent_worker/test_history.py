from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import llm

from agent_worker.preresponse.history import bounded_history, estimated_tokens, without_preresponses
from agent_worker.telemetry.trace import PRERESPONSE_EXTRA_KEY

MAX_TOKENS = 1_000


def chat(*turns: int, call_in: int | None = None, result_in: int | None = None) -> llm.ChatContext:
    """A conversation with instructions and a greeting, and turns of about so many tokens.

    Args:
        turns: Tokens of each turn.
        call_in: Index of the turn in which a tool is called.
        result_in: Index of the turn in which it returns.
    """
    context = llm.ChatContext.empty()
    context.add_message(role="system", content="You help.")
    context.add_message(role="assistant", content="Hello!")
    for index, tokens in enumerate(turns):
        context.add_message(role="user", content=f"{index} " + "word" * (tokens // 2))
        if index == call_in:
            context.items.append(llm.FunctionCall(call_id="c", name="look_up", arguments="{}"))
        if index == result_in:
            context.items.append(llm.FunctionCallOutput(call_id="c", name="look_up", output="found", is_error=False))
        context.add_message(role="assistant", content="word" * (tokens // 2))
    return context


def tokens_of(context: llm.ChatContext) -> int:
    return sum(map(estimated_tokens, context.items))


def turns_in(context: llm.ChatContext) -> list[str]:
    texts = [(item.text_content or "") for item in context.messages() if item.role == "user"]
    return [text.split()[0] for text in texts]


def test_short_conversation_is_sent_whole() -> None:
    context = chat(100, 100)
    assert bounded_history(context, MAX_TOKENS) is context


def test_instructions_stay_in_front_and_the_last_turns_are_kept() -> None:
    bounded = bounded_history(chat(*[200] * 20), MAX_TOKENS)
    assert bounded.items[0].type == "message"
    assert bounded.items[0].role == "system"
    assert turns_in(bounded)[-1] == "19"
    assert tokens_of(bounded) <= MAX_TOKENS + 10


def test_request_is_cut_in_steps_so_that_most_requests_begin_like_the_one_before() -> None:
    turns = 100
    requests = [bounded_history(chat(*[100] * count), MAX_TOKENS) for count in range(1, turns)]
    firsts = [turns_in(request)[0] for request in requests]
    cuts = sum(before != after for before, after in itertools.pairwise(firsts))
    assert 0 < cuts <= turns / 4


def test_last_turn_is_kept_whole_however_long_it_is() -> None:
    context = chat(100, 5_000)
    assert turns_in(bounded_history(context, MAX_TOKENS)) == ["1"]
    assert bounded_history(chat(5_000), MAX_TOKENS).items[-1].type == "message"


@given(
    st.lists(st.integers(0, 900), min_size=2, max_size=30),
    st.data(),
)
def test_tool_call_and_its_result_are_kept_together_or_dropped_together(turns: list[int], data: Any) -> None:
    call_in = data.draw(st.integers(0, len(turns) - 1))
    result_in = data.draw(st.integers(call_in, len(turns) - 1))
    bounded = bounded_history(chat(*turns, call_in=call_in, result_in=result_in), MAX_TOKENS)
    kinds = [item.type for item in bounded.items if item.type != "message"]
    assert kinds in ([], ["function_call", "function_call_output"])


@pytest.mark.parametrize("text", ["word " * 100, "🙂" * 100, "博物館は何時に" * 20, "\ud800" * 10])
def test_estimate_is_never_below_a_quarter_of_a_token_for_each_byte(text: str) -> None:
    message = llm.ChatMessage(role="user", content=[text])
    assert 4 * estimated_tokens(message) >= len(text.encode(errors="replace"))


def reply(text: str, preresponse: str | None = None) -> llm.ChatMessage:
    extra = {PRERESPONSE_EXTRA_KEY: preresponse} if preresponse else {}
    return llm.ChatMessage(role="assistant", content=[text], extra=extra)


def sent(*messages: llm.ChatMessage) -> list[str | None]:
    return [message.text_content for message in without_preresponses(llm.ChatContext([*messages])).messages()]


def test_main_model_gets_its_earlier_answers_as_it_wrote_them() -> None:
    spoken = reply("Let me think. It opens at nine.", "Let me think.")
    assert sent(spoken, reply("At ten on Sundays.")) == ["It opens at nine.", "At ten on Sundays."]
    assert spoken.text_content == "Let me think. It opens at nine.", "the session's history keeps what was spoken"


@pytest.mark.parametrize("text", ["Let me think.", "Let me", "Let me think. "])
def test_reply_that_was_interrupted_before_the_answer_stays(text: str) -> None:
    assert sent(reply(text, "Let me think.")) == [text]


def test_words_of_a_preresponse_inside_an_answer_stay() -> None:
    assert sent(reply("It says: Let me think.", "Let me think.")) == ["It says: Let me think."]
    assert sent(reply("Let me think. It opens at nine.")) == ["Let me think. It opens at nine."]
