"""A caller who says nothing is asked, and the call ends; it also ends after the farewells of both sides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent_worker.app.call import follow_silence
from agent_worker.core.settings import ConversationSettings
from agent_worker.lifecycle import silent_caller
from agent_worker.lifecycle.goodbye import GRACE_S
from agent_worker.preresponse.phrases import built_in_languages
from agent_worker.text.messages import silence_farewell, silence_questions
from tests.agent_worker.floor_calls import Call, call, until

QUESTION, SECOND_QUESTION = silence_questions("en")
ANSWER = "It opens at nine."


class End:
    """Stands for the end of a call: the reasons for it, and when they were given."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def begin(self, reason: str) -> None:
        self.reasons.append(reason)


@asynccontextmanager
async def talk(
    *answer: str, settings: dict[str, Any] | None = None, is_there: bool = True, **options: Any
) -> AsyncIterator[tuple[Call, End]]:
    """A call in which the agent answers at once and is heard at once."""
    async with call(*(answer or (ANSWER,)), **options) as now:
        now.loudspeaker.automatic = True
        now.gate.set()
        end, agent = End(), now.session.current_agent
        given = ConversationSettings(language=options.get("language", "en"), **(settings or {}))
        follow_silence(now.session, agent, given, end, None, lambda: is_there)  # type: ignore[arg-type]
        await now.handled()
        yield now, end


def said(now: Call) -> list[str]:
    """What the agent has said, each to its end."""
    return [text for role, text in now.messages if role == "assistant"]


async def answered(now: Call, text: str) -> None:
    """The caller says something, and the agent's answer is heard."""
    before = len(said(now))
    await now.say(text)
    await idle(now, before + 1)


async def asked(now: Call, seconds: float, *expected: str) -> None:
    """Let time pass in silence, in which exactly the expected is said."""
    before = len(said(now))
    await now.quiet(seconds)
    await idle(now, before + len(expected))
    assert tuple(said(now)[before:]) == expected


async def idle(now: Call, messages: int) -> None:
    """Return when the agent has said so much and listens."""
    await until(lambda: len(said(now)) >= messages)
    await until(lambda: now.session.agent_state == "listening" and now.session.current_speech is None)
    await now.handled()


async def ended(end: End, reason: str) -> None:
    """Return when the call ends for this reason."""
    await until(lambda: end.reasons)
    assert end.reasons == [reason]


async def test_silent_caller_is_asked_twice_and_then_the_call_ends() -> None:
    async with talk() as (now, end):
        await answered(now, "What time does the museum open?")
        for text in (QUESTION, SECOND_QUESTION):
            await asked(now, 11.5)
            await asked(now, 0.5, text)
        await asked(now, 11.5)
        assert not end.reasons
        await asked(now, 0.5)
        await ended(end, "unanswered")


async def test_caller_who_answers_is_asked_from_the_beginning_the_next_time() -> None:
    async with talk() as (now, end):
        for text in ("What time does the museum open?", "Yes, I am still here."):
            await answered(now, text)
            await asked(now, 12.0, QUESTION)
            await asked(now, 12.0, SECOND_QUESTION)
        assert not end.reasons


async def test_caller_who_never_speaks_is_asked_too() -> None:
    async with talk() as (now, end):
        await asked(now, 12.0, QUESTION)
        await asked(now, 12.0, SECOND_QUESTION)
        await asked(now, 12.0)
        await ended(end, "unanswered")


async def test_nothing_is_asked_while_the_caller_speaks() -> None:
    async with talk() as (now, _):
        await now.begin_sound()
        await now.quiet(30.0)
        assert not now.voice.texts
        await now.end_sound()
        await asked(now, 11.0)
        await asked(now, 1.0, QUESTION)


@pytest.mark.parametrize("is_steady", [True, False])
async def test_music_without_a_word_is_no_caller(is_steady: bool) -> None:
    async with talk() as (now, end):
        for question in (QUESTION, SECOND_QUESTION):
            await now.begin_sound()
            for _ in range(14):
                await now.quiet(3.0)
                if not is_steady:
                    await now.end_sound()
                    await now.begin_sound()
            await until(lambda question=question: question in said(now))  # type: ignore[misc]
            await idle(now, len(said(now)))
        for _ in range(15):
            await now.quiet(3.0)
        await ended(end, "unanswered")


async def test_words_over_music_are_a_sign_of_life() -> None:
    async with talk() as (now, _):
        await now.begin_sound()
        await now.quiet(40.0)
        now.ears.interim("please hold the line")
        await now.handled()
        await now.quiet(40.0)
        assert not now.voice.texts


async def test_words_without_a_sound_are_a_sign_of_life() -> None:
    async with talk() as (now, _):
        await asked(now, 11.0)
        now.ears.interim("well")
        await now.handled()
        await asked(now, 11.0)


@pytest.mark.parametrize("who", ["nobody", "tool"])
async def test_silence_that_is_not_the_callers_is_not_counted(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if who == "tool":
        monkeypatch.setattr(silent_caller, "has_running_tools", lambda _: True)
    async with talk(is_there=who != "nobody") as (now, end):
        for _ in range(5):
            await asked(now, 12.0)
        assert not end.reasons


@pytest.mark.parametrize(
    "text",
    ["Hang on.", "One moment, let me find my card.", "I'm still looking for it.", "My card number is four one five."],
)
async def test_caller_who_needs_time_is_not_asked_so_soon(text: str) -> None:
    async with talk("Okay.") as (now, _):
        await answered(now, text)
        await asked(now, 59.0)
        await asked(now, 1.0, QUESTION)
        await answered(now, "What time do you open?")
        await asked(now, 12.0, QUESTION)


@pytest.mark.parametrize("answer", ["Sure, take your time.", "What is your order number?"])
async def test_caller_who_was_given_time_is_not_asked_so_soon(answer: str) -> None:
    async with talk(answer) as (now, _):
        await answered(now, "I want to change my order.")
        await asked(now, 59.0)
        await asked(now, 1.0, QUESTION)


async def test_words_to_somebody_else_do_not_end_the_wait() -> None:
    async with talk("Okay.") as (now, _):
        await answered(now, "Hang on.")
        await answered(now, "Honey, come here please.")
        await asked(now, 59.0)


async def test_question_does_not_hide_what_the_agent_asked_before() -> None:
    async with talk("What is your card number?") as (now, _):
        await answered(now, "I want to pay.")
        await asked(now, 60.0, QUESTION)
        await until(lambda: now.messages[-1] == ("assistant", QUESTION))
        assert now.session.current_agent.last_text() == "What is your card number?"  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", built_in_languages())
async def test_caller_is_asked_in_their_language(language: str) -> None:
    async with talk(language=language) as (now, end):
        assert len(silence_questions(language)) == 2
        assert silence_farewell(language)
        for text in silence_questions(language):
            await asked(now, 12.0, text)
        await asked(now, 12.0)
        await ended(end, "unanswered")


@pytest.mark.parametrize("language", ["ja", "zh-Hans"])
async def test_language_without_texts_is_silent_and_the_call_ends(language: str) -> None:
    async with talk(language=language) as (now, end):
        for _ in range(3):
            await asked(now, 12.0)
        await ended(end, "unanswered")


async def test_nothing_is_asked_if_it_is_off() -> None:
    async with talk(settings={"silence_prompt_delay": 0.0}) as (now, end):
        await asked(now, 100.0)
        assert not end.reasons


@pytest.mark.parametrize("order", [("Thanks, bye.", "You're welcome. Goodbye!"), ("Bye!", "Have a great day!")])
async def test_call_ends_within_two_seconds_of_the_agents_last_word_after_both_farewells(
    order: tuple[str, str],
) -> None:
    caller, agent = order
    async with talk(agent) as (now, end):
        await answered(now, caller)
        assert not end.reasons
        await now.quiet(GRACE_S)  # CallEnd adds half a second, in which the last sound reaches the caller
        await ended(end, "goodbye")


async def test_goodbye_of_the_agent_may_come_first() -> None:
    async with talk("It is booked. Have a great day!") as (now, end):
        await answered(now, "Book it.")
        await asked(now, 5.0)
        assert not end.reasons
        await answered(now, "You too, bye.")
        await now.quiet(GRACE_S)
        await ended(end, "goodbye")


async def test_caller_who_goes_on_after_the_farewells_keeps_the_call() -> None:
    async with talk("Goodbye!") as (now, end):
        await answered(now, "Thanks, bye.")
        await now.begin_sound()
        await now.pass_(2.0)
        await now.end_sound()
        now.main.pieces = (ANSWER,)
        await now.final("Oh wait, what time do you open?")
        await until(lambda: said(now)[-1] == ANSWER)
        await asked(now, 5.0)
        assert not end.reasons


@pytest.mark.parametrize(
    ("caller", "agent"),
    [
        ("Bye.", "Before you go, is there anything else?"),
        ("No, that's all.", "All right."),
        ("I would like to book a table.", "It is booked. See you tomorrow!"),
    ],
)
async def test_farewell_of_one_side_does_not_end_the_call(caller: str, agent: str) -> None:
    async with talk(agent) as (now, end):
        await answered(now, caller)
        await asked(now, 5.0)
        assert not end.reasons


async def test_goodbye_does_not_end_the_call_if_it_is_off() -> None:
    async with talk("Goodbye!", settings={"end_after_goodbye": False}) as (now, end):
        await answered(now, "Bye.")
        await asked(now, 5.0)
        assert not end.reasons
