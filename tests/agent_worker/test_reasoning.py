"""Reasoning is kept back, in whatever tags, wherever the stream is cut; an answer is passed on whole."""

from __future__ import annotations

import pytest

from agent_worker.text.reasoning import ReasoningFilter

THOUGHT = "Okay, the user asks about the museum. I should look up the hours. "
ANSWER = "It opens at nine."
BAR = "\uff5c"

TAGGED = {
    "think": f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
    "upper case and attributes": f'<Thinking type="deep">{THOUGHT}</Thinking>{ANSWER}',
    "another tag closes": f"<thought>{THOUGHT}</think>{ANSWER}",
    "namespace": f"<seed:think>{THOUGHT}</seed:think>{ANSWER}",
    "nested": f"<think>{THOUGHT}<think>again</think>{THOUGHT}</think>{ANSWER}",
    "answer tag": f"<reasoning>{THOUGHT}</reasoning><answer>{ANSWER}</answer>",
    "answer tag in place of the closing one": f"<think>{THOUGHT}<answer>{ANSWER}</answer>",
    "Magistral": f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
    "Kimi": f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
    "gpt-oss": f"<|channel|>analysis<|message|>{THOUGHT}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
    "gpt-oss without its tokens": f"analysis{THOUGHT}assistantfinal{ANSWER}",
    "Gemma": f"<|channel>thought\n{THOUGHT}<channel|>{ANSWER}",
    "Cohere": f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
    "Sky-T1": f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|><|begin_of_solution|>{ANSWER}<|end_of_solution|>",
    "tokens": f"<|think|>{THOUGHT}<|/think|>{ANSWER}",
    "tokens in other characters": f"<{BAR}begin▁of▁thinking{BAR}>{THOUGHT}<{BAR}end▁of▁thinking{BAR}>{ANSWER}",
    "other name": f"<inner_thoughts>{THOUGHT}</inner_thoughts>{ANSWER}",
    "opened by the template and the model": f"<think>\n<think>\n{THOUGHT}</think>{ANSWER}",
    "gpt-oss without a channel": f"<|start|>assistant<|message|>{ANSWER}<|end|>",
    "gpt-oss without a header": f"<|message|>{ANSWER}",
    "empty tag": f"<think/>{ANSWER}",
    "empty tag with a space": f"<think />{ANSWER}",
    "empty": f"<think>\n\n</think>\n\n{ANSWER}",
    "closing tag only": f"{THOUGHT}</think>{ANSWER}",
    "closing tag only, Qwen3.5": f"Thinking Process:\n\n1. **Analyze the request:** hours\n</think>\n\n{ANSWER}",
    "closing tag only, a thought about the user": f"Hmm, the user has asked for the hours. </think>{ANSWER}",
    "closing tag only, a thought about the answer": f"We need to respond with the hours. </think>{ANSWER}",
    "closing tag only, short": f"User asks: hours. </think>{ANSWER}",
    "closing tag only, German": f"Okay, der Nutzer fragt nach dem Museum. </think>{ANSWER}",
    "closing tag only, Chinese": f"好的，用户问博物馆几点开门。</think>{ANSWER}",
    "in the middle": f"It opens <reasoning>{THOUGHT}</reasoning>at nine.",
}

PLAIN = (
    ANSWER,
    "Okay. It opens at nine.",
    "So, it opens at nine. The first tour begins at ten, and the last one at four in the afternoon.",
    "The user manual is in the box.",
    "The user issue is fixed. The user has to log in once more.",
    "Got it. The user has been added, and the user needs a password.",
    "The museum is open. **Note:** the user wants to know more, as they say.",
    "I have to answer that with no.",
    "We need to answer your first question. Hm, we must answer the phone.",
    "Let me break this down for you. Rent is due on the first.",
    "Let me recall your order. It has shipped.",
    "Let me figure out the best route. Take bus five.",
    "We open at nine, and I think we close at five.",
    "Hm.",
    "3 < 4, and 5 > 4 [as you know].",
    "<b>Nine</b> o'clock.",
    "Here is the plan: come at nine.",
    "I should say that the museum is closed on Mondays, but the garden is open.",
    "",
)


def filtered(*pieces: str, starts_inside: bool = False) -> tuple[str, ReasoningFilter]:
    reasoning = ReasoningFilter(starts_inside=starts_inside)
    passed = "".join(map(reasoning.push, pieces))
    return passed + reasoning.flush(), reasoning


@pytest.mark.parametrize("style", TAGGED)
def test_reasoning_is_kept_back_wherever_the_text_is_cut(style: str) -> None:
    text = TAGGED[style]
    for cut in range(len(text) + 1):
        assert filtered(text[:cut], text[cut:])[0].strip() == ANSWER, text[:cut]
    assert filtered(*text)[0].strip() == ANSWER


@pytest.mark.parametrize("text", PLAIN)
def test_answer_without_reasoning_is_passed_on_whole(text: str) -> None:
    for pieces in ([text], list(text), [text[:7], text[7:]]):
        passed, reasoning = filtered(*pieces)
        assert passed == text
        assert reasoning.reasoning_chars == 0


@pytest.mark.parametrize("opening", ["<think>", "[THINK]", "<|channel|>analysis<|message|>", "◁think▷", ""])
def test_reasoning_without_an_end_is_no_answer(opening: str) -> None:
    passed, reasoning = filtered(*(opening + THOUGHT))
    assert passed == ""
    assert reasoning.reasoning_chars >= len(THOUGHT)


@pytest.mark.parametrize("text", ["It opens at nine.", "The exhibition opens in May.", "Nine."])
def test_first_words_of_most_answers_are_passed_on_at_once(text: str) -> None:
    reasoning = ReasoningFilter()
    passed = "".join(map(reasoning.push, text[: len(text) // 2 + 2]))
    assert passed or len(text) < 10


def test_model_that_closes_what_it_has_not_opened_is_expected_to_do_so_again() -> None:
    first = filtered("Museums open at nine, mostly. Let us see. ", "</think>", ANSWER)[1]
    assert first.starts_inside
    second = filtered("Museums open at nine, mostly. ", "</think>", ANSWER, starts_inside=True)
    assert second[0] == ANSWER


def test_expectation_is_given_up_when_it_was_wrong() -> None:
    passed, reasoning = filtered(ANSWER, starts_inside=True)
    assert passed == ""
    assert not reasoning.starts_inside


@pytest.mark.parametrize(
    "text",
    [
        '<|python_tag|>{"name": "hours"}',
        '<|channel|>commentary to=functions.hours <|constrain|>json<|message|>{"day": "monday"}<|call|>',
        '<|channel|> to=functions.hours <|constrain|>json<|message|>{"day": "monday"}<|call|>',
        '[TOOL_CALLS][{"name": "hours"}]',
    ],
)
def test_tool_call_is_passed_on_with_its_marks(text: str) -> None:
    before = f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant" if "commentary" in text else ""
    assert filtered(*(before + text))[0] == text


def test_tool_call_in_the_middle_of_reasoning_ends_it() -> None:
    passed, _ = filtered("<think>I will look it up.\n", '<tool_call>{"name": "hours"}</tool_call>')
    assert passed == '<tool_call>{"name": "hours"}</tool_call>'


@pytest.mark.parametrize("size", [1, 4, 100])
def test_recipient_of_a_tool_call_may_stand_in_front_of_its_channel(size: int) -> None:
    text = '<|start|>assistant to=functions.hours<|channel|>commentary<|message|>{"day": 1}<|call|>'
    passed, _ = filtered(*(text[start : start + size] for start in range(0, len(text), size)))
    assert passed == '<|channel|>assistant to=functions.hours commentary<|message|>{"day": 1}<|call|>'


def test_words_before_and_behind_a_late_closing_tag_are_apart() -> None:
    assert filtered("Museums open at nine.", "</think>", ANSWER)[0] == f"Museums open at nine. {ANSWER}"
