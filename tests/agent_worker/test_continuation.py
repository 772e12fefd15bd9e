"""A caller who goes on after the end of the turn was assumed: one turn, one record, one answer."""

from __future__ import annotations

import functools

import pytest

from tests.agent_worker.floor_calls import Call, call, settle, until
from tests.agent_worker.museum import PHRASE


def has_turn(now: Call, text: str) -> bool:
    return now.caller_turns == [text]


async def one_turn(now: Call, text: str) -> None:
    """Wait for the answer to ``text``, and check that it is the only turn."""
    await until(lambda: now.caller_turns == [text])
    now.loudspeaker.automatic = True
    now.gate.set()
    await until(lambda: now.session.agent_state == "listening" and len(now.messages) == 2)
    await until(lambda: now.records)
    assert [role for role, _ in now.messages] == ["user", "assistant"]
    assert [record.caller for record in now.records] == [text]
    assert [item.text_content for item in now.session.history.items if item.type == "message"] == [
        text for _, text in now.messages
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What time does", "the museum open?"),
        ("I want to know when", "the garden opens."),
        ("Is it open on", "Saturdays?"),
        ("Where is the entrance", "for a wheelchair?"),
    ],
)
async def test_utterance_in_two_finals_is_one_turn_with_one_answer(first: str, second: str) -> None:
    async with call("Nine.") as now:
        await now.sound(0.8)
        await now.final(first)
        await until(lambda: now.caller_turns == [first])
        await now.quiet(0.5)
        await now.final(second)
        await one_turn(now, f"{first} {second}")
        assert "Nine." in now.messages[-1][1]
        assert now.main.requests[-1].items[-1].text_content == f"{first} {second}"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What is the best way to learn how to cook?", "I would like to start with something easy."),
        ("Can I bring my dog?", "He is very small."),
        ("Do you have a café?", "And is it open now?"),
    ],
)
async def test_two_sentences_in_one_breath_get_one_answer_and_one_preresponse(first: str, second: str) -> None:
    async with call("Nine.", strategy="phrase") as now:
        started: list[str] = []
        now.session.current_agent.events.on(  # type: ignore[attr-defined]
            "preresponse_started", lambda text, _: started.append(text)
        )
        await now.say(first)
        await until(lambda: now.caller_turns == [first])
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        await now.quiet(0.35)
        await now.begin_sound()
        assert now.is_silent  # 0.1 s after the sound began
        await now.pass_(1.0)
        await now.end_sound()
        await now.final(second)
        await one_turn(now, f"{first} {second}")
        assert started == [PHRASE]
        (record,) = now.records
        assert (record.preresponse, record.preresponse_outcome) == (None, "continued")
        assert not record.interrupted


@pytest.mark.parametrize("pieces", [3, 4])
async def test_turn_in_many_pieces_is_one_turn(pieces: int) -> None:
    words = ["I need a ticket", "for two adults", "and three children", "on Sunday morning"][:pieces]
    async with call("Done.", strategy="phrase") as now:
        await now.sound(0.8)
        for count, piece in enumerate(words, 1):
            await now.final(piece)
            await until(functools.partial(has_turn, now, " ".join(words[:count])))
            await now.quiet(0.4)
        await one_turn(now, " ".join(words))


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("fr", "Ouais, pourquoi", "pas."),
        ("en", "Book a table", "for nine."),
        ("de", "Buchen Sie", "bitte einen Tisch."),
    ],
)
async def test_tool_runs_once_for_a_turn_in_two_finals(language: str, first: str, second: str) -> None:
    async with call("Done.", every_turn=True, language=language) as now:
        now.gate.set()
        await now.sound(0.8)
        await now.final(first)
        await until(lambda: now.caller_turns == [first])
        await now.quiet(0.4)
        await now.final(second)
        await until(lambda: now.caller_turns == [f"{first} {second}"])
        await settle()
        assert not now.tool_runs
        await now.quiet(0.8)
        await until(lambda: now.tool_runs)
        await until(lambda: now.loudspeaker.is_playing)
        await settle()
        assert now.tool_runs == ["book"]


async def test_tool_without_side_effects_may_run_at_once() -> None:
    async with call("Done.", calls_tool=True, early_tools=["book"]) as now:
        now.gate.set()
        await now.say("Book a table.")
        await until(lambda: now.tool_runs == ["book"])


async def test_tool_waits_while_the_caller_is_heard() -> None:
    async with call("Done.", calls_tool=True) as now:
        now.gate.set()
        await now.say("Book a table.")
        await until(lambda: now.caller_turns)
        await now.begin_sound()
        await now.pass_(2.0)
        assert not now.tool_runs
        await now.end_sound()
        await now.quiet(0.8)
        await until(lambda: now.tool_runs)


async def test_words_after_a_tool_has_acted_are_a_turn_of_their_own() -> None:
    async with call("Done.", calls_tool=True) as now:
        now.gate.set()
        await now.say("Book a table.")
        await until(lambda: now.caller_turns)
        await now.quiet(0.8)
        await until(lambda: now.tool_runs)
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        await now.say("And a taxi, please.")
        await until(lambda: now.caller_turns == ["Book a table.", "And a taxi, please."])


@pytest.mark.parametrize("words", ["Okay.", "Mm-hmm.", "Yeah, sure.", "Alright."])
async def test_backchannel_between_preresponse_and_answer_keeps_the_request(words: str) -> None:
    async with call("Nine.", strategy="phrase") as now:
        await now.say("What time does the museum open?")
        await now.loudspeaker.wait_until(lambda it: it.complete == 1)
        now.loudspeaker.play()
        requests = len(now.main.requests)
        await now.sound(0.3)
        await now.final(words)
        await settle()
        now.gate.set()
        await now.loudspeaker.wait_until(lambda it: len(it.segments) == 2)
        await now.finish(segments=2)
        assert len(now.main.requests) == requests
        assert not now.main.cancelled
        assert now.messages == [("user", "What time does the museum open?"), ("assistant", f"{PHRASE} Nine.")]


@pytest.mark.parametrize("words", ["Let me think.", "let me think", "Let me think!"])
async def test_echo_of_the_preresponse_is_no_turn(words: str) -> None:
    async with call("Nine.", strategy="phrase") as now:
        await now.say("What time does the museum open?")
        await now.loudspeaker.wait_until(lambda it: it.complete == 1)
        await now.sound(0.6)
        now.loudspeaker.play()
        await now.final(words)
        await settle()
        now.gate.set()
        await now.loudspeaker.wait_until(lambda it: len(it.segments) == 2)
        assert now.caller_turns == ["What time does the museum open?"]


async def test_interruption_of_an_answer_that_was_heard_is_a_turn_of_its_own() -> None:
    async with call() as now:
        await now.hear_answer(heard_s=3.0)
        await now.say("Stop, I meant the zoo.")
        await until(lambda: len(now.caller_turns) == 2)
        assert now.caller_turns[-1] == "Stop, I meant the zoo."


async def test_answer_of_which_only_the_beginning_was_heard_is_taken_back() -> None:
    async with call() as now:
        await now.hear_answer("Is the museum open", heard_s=0.6)
        await now.say("on Sundays?")
        await until(lambda: now.caller_turns == ["Is the museum open on Sundays?"])
        assert not any(role == "assistant" for role, _ in now.messages)


async def test_typed_message_is_not_continued_by_voice() -> None:
    async with call("Nine.") as now:
        now.session.generate_reply(user_input="When do you open?")
        await until(lambda: now.caller_turns)
        await now.say("And when do you close?")
        await until(lambda: len(now.caller_turns) == 2)
