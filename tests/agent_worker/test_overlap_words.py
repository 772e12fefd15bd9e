"""What the caller's words over the agent's speech are."""

from __future__ import annotations

import pytest

from agent_worker.turn_taking.overlap_words import OverlapWords, is_echo, judge_overlap

AGENT = "Your table is booked for Friday at eight, and the terrace is heated."


@pytest.mark.parametrize(
    "text",
    ["zero five four", "four thirty p m", "no", "stop", "what", "on Friday", "so?", "thanks, that's all", "hello?"],
)
def test_few_words_that_are_no_backchannel_interrupt(text: str) -> None:
    assert judge_overlap(text, "en", AGENT, agent_asked=False) is OverlapWords.INTERRUPTION


@pytest.mark.parametrize("text", ["Yeah, can you please tell", "Yeah, can you please tell me the,", "so he said to"])
def test_beginning_of_a_sentence_is_not_taken_for_talk_to_others(text: str) -> None:
    assert judge_overlap(text, "en", AGENT, agent_asked=False) is OverlapWords.INTERRUPTION


@pytest.mark.parametrize("text", ["yeah", "mm-hmm", "oh okay", "right, I see", "uh-huh"])
def test_backchannel_is_an_answer_once_the_agent_has_asked(text: str) -> None:
    assert judge_overlap(text, "en", AGENT, agent_asked=False) is OverlapWords.BACKCHANNEL
    assert judge_overlap(text, "en", AGENT, agent_asked=True) is OverlapWords.INTERRUPTION


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "okay thank you"),
        ("en", "sure take your time"),
        ("en", "no rush"),
        ("en", "i'll wait"),
        ("de", "ja danke"),
        ("de", "lassen sie sich zeit"),
        ("es", "muchas gracias"),
        ("fr", "d'accord merci"),
        ("fr", "prenez votre temps"),
        ("pt", "obrigada"),
    ],
)
def test_thanks_and_patience_are_a_backchannel_while_the_answer_is_awaited(language: str, text: str) -> None:
    assert judge_overlap(text, language, "Let me check.", False, waits=True) is OverlapWords.BACKCHANNEL
    assert judge_overlap(text, language, "Let me check.", False) is OverlapWords.INTERRUPTION


@pytest.mark.parametrize("text", ["thanks and for two people", "thank you but near the beach", "no stop"])
def test_what_is_added_to_thanks_interrupts(text: str) -> None:
    assert judge_overlap(text, "en", "Let me check.", False, waits=True) is OverlapWords.INTERRUPTION


@pytest.mark.parametrize(
    "text", ["oh good to know", "that sounds lovely", "for sure", "oh man", "that's awesome", "no kidding"]
)
def test_listeners_words_of_a_conversation_are_backchannels(text: str) -> None:
    assert judge_overlap(text, "en", AGENT, agent_asked=False) is OverlapWords.BACKCHANNEL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("booked for Friday at eight", True),
        ("the terrace is heeded", False),  # too short for a misheard word
        ("your table is booked for Fridays at eight", True),
        ("is the terrace heated", False),
        ("Friday", False),
        ("", False),
    ],
)
def test_echo_is_a_run_of_the_agents_words(text: str, expected: bool) -> None:
    assert is_echo(text, AGENT) is expected
