"""Sounds without words in whole calls: nobody answers them, and what follows is answered."""

from __future__ import annotations

from typing import Any

import pytest

from agent_worker.turn_taking.wordless import Wordless
from tests.agent_worker.test_voice_turns import Call, call
from tests.waiting import settle


def ignored(now: Call) -> list[Wordless]:
    """Collect why transcripts are ignored from now on."""
    reasons: list[Wordless] = []
    now.agent.events.on("wordless_transcript", reasons.append)
    return reasons


@pytest.mark.parametrize(
    ("sounds", "reason"),
    [
        (["Thanks for watching!"], Wordless.INVENTED),
        (["Subtitles by the Amara.org community"], Wordless.INVENTED),
        (["[BLANK_AUDIO]", "(coughs)", "♪"], Wordless.NO_WORDS),
        (["Hmm.", "Um,", "Ahem."], Wordless.NO_WORDS),
    ],
)
async def test_sounds_without_words_are_not_answered_and_the_question_after_them_is(
    sounds: list[str], reason: Wordless
) -> None:
    async with call() as now:
        reasons = ignored(now)
        now.gate.set()
        for sound in sounds:
            now.ears.start_speech()
            now.ears.preflight(sound)
            now.ears.final(sound)
            now.ears.end_speech()
        await settle()
        assert not now.main.requests
        assert not now.loudspeaker.segments
        assert reasons == [reason] * len(sounds)
        now.ears.say("When do you open?")
        await now.until_said(2)
        assert now.said[0] == "When do you open?"
        assert now.said[1].endswith("Nine.")


async def test_words_beside_a_sound_are_the_whole_turn() -> None:
    async with call() as now:
        now.gate.set()
        now.ears.start_speech()
        now.ears.final("(coughs)")
        now.ears.final("[clears throat] When do you open?")
        now.ears.end_speech()
        await now.until_said(2)
        assert now.said[0] == "When do you open?"


@pytest.mark.parametrize(("level", "is_turn"), [(-20.0, True), (-50.0, False)])
async def test_known_invention_is_answered_if_it_is_loud_and_follows_a_question(level: float, is_turn: bool) -> None:
    async with call() as now:
        now.gate.set()
        await now.session.say("What does the presenter say at the end?")
        now.agent.audio_levels = lambda: [*[-65.0] * 300, *[level] * 100, *[-65.0] * 30]
        now.ears.say("Thanks for watching!")
        if is_turn:
            await now.until_said(3)
            assert now.said[1] == "Thanks for watching!"
        else:
            await settle()
            assert len(now.said) == 1


async def test_words_that_were_shown_while_a_sound_went_on_are_withdrawn() -> None:
    async with call() as now:
        shown: list[Any] = []
        now.session.on("user_input_transcribed", lambda event: shown.append((event.transcript, event.is_final)))
        now.ears.start_speech()
        now.ears.interim("Thanks for")
        now.ears.final("Thanks for watching!")
        now.ears.end_speech()
        await settle()
        assert shown == [("Thanks for", False), ("", False)]


async def test_transcript_of_a_turn_is_kept_until_its_end() -> None:
    async with call() as now:
        now.gate.set()
        now.ears.start_speech()
        now.ears.final("I'd like")
        now.ears.interim("two tickets")
        await settle()
        assert now.agent.caller_transcript.text == "I'd like two tickets"
        now.ears.final("two tickets please")
        now.ears.end_speech()
        await now.until_said(2)
        assert now.agent.caller_transcript.text == ""
