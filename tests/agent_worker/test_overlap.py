"""Sounds and words of the caller over the agent's speech: what stops it, what does not, and for how long."""

from __future__ import annotations

import pytest

from tests.agent_worker.floor_calls import ANSWER, call, settle, until


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.3, "Yeah."), (0.6, "Mm-hmm."), (0.25, "Okay."), (0.5, "Oh, right."), (0.75, "Yeah, I see."), (0.4, "Really?")],
)
async def test_backchannel_over_the_answer_neither_stops_it_nor_becomes_a_turn(seconds: float, words: str) -> None:
    async with call() as now:
        await now.hear_answer()
        requests = len(now.main.requests)
        await now.sound(seconds)
        await now.quiet(0.05)  # 0.3 s after its end
        assert not now.is_silent
        await now.quiet(0.4)
        await now.final(words)
        await settle()
        assert not now.is_silent
        await now.finish(segments=1)
        assert len(now.caller_turns) == 1
        assert len(now.main.requests) == requests
        assert now.messages[-1][1].strip() == ANSWER


async def test_backchannel_shorter_than_the_interruption_delay_leaves_no_gap_in_the_answer() -> None:
    async with call() as now:
        await now.hear_answer()
        await now.begin_sound()
        for _ in range(4):
            await now.pass_(0.05)
            assert not now.loudspeaker.is_paused
        await now.end_sound()
        assert not now.loudspeaker.is_paused


@pytest.mark.parametrize(
    ("seconds", "words", "delay_s"),
    [
        (1.0, "Stop, I meant the zoo.", 2.9),
        (1.4, "Sorry, which floor is that?", 2.0),
        (0.9, "No, on Monday.", 2.5),
        (2.0, "Okay, but what does it cost?", 0.6),
    ],
)
async def test_agent_is_silent_until_the_late_words_of_an_interruption_are_there(
    seconds: float, words: str, delay_s: float
) -> None:
    async with call() as now:
        await now.hear_answer()
        await now.begin_sound()
        await now.pass_(0.4)
        assert now.is_silent
        await now.pass_(seconds - 0.5)
        await now.end_sound()
        for _ in range(round((delay_s - 0.25) / 0.05)):
            await now.quiet(0.05)
            assert now.is_silent
        await now.final(words)
        await until(lambda: len(now.caller_turns) == 2)
        assert now.caller_turns[-1] == words
        await now.loudspeaker.wait_until(lambda it: len(it.segments) == 2)
        await until(lambda: not now.loudspeaker.is_paused)


async def test_answer_goes_on_when_the_words_of_a_long_sound_can_no_longer_come() -> None:
    async with call() as now:
        await now.hear_answer()
        await now.sound(1.4)
        await now.quiet(2.5)
        assert now.is_silent
        await now.quiet(0.5)
        assert not now.is_silent
        await now.finish(segments=1)
        assert now.messages[-1][1].strip() == ANSWER


@pytest.mark.parametrize("words", ["stop", "no wait", "what about Sunday"])
async def test_first_words_of_an_interruption_silence_the_agent_before_the_sound_alone_would(words: str) -> None:
    async with call() as now:
        await now.hear_answer()
        await now.begin_sound()
        now.ears.interim(words)
        await now.handled()
        assert now.is_silent


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("Yeah,", "Yeah, can you please tell me the price?"),
        ("Okay.", "Okay. What is their number?"),
        ("Uh-huh,", "Uh-huh, and where is the zoo?"),
    ],
)
async def test_agent_stays_silent_when_an_interruption_begins_like_a_backchannel(first: str, words: str) -> None:
    async with call() as now:
        await now.hear_answer()
        await now.begin_sound()
        await now.pass_(0.4)
        assert now.is_silent
        now.ears.interim(first)
        await now.handled()
        for _ in range(16):
            await now.pass_(0.05)
            assert now.is_silent
        await now.end_sound()
        await now.final(words)
        await until(lambda: len(now.caller_turns) == 2)


@pytest.mark.parametrize(("seconds", "words"), [(0.5, "Yeah."), (0.8, "Mm-hmm."), (1.1, "Oh, okay, yeah.")])
async def test_answer_goes_on_after_a_backchannel_whose_first_words_came_during_it(seconds: float, words: str) -> None:
    async with call() as now:
        await now.hear_answer()
        await now.begin_sound()
        await now.pass_(seconds - 0.1)
        now.ears.interim(words)
        await now.handled()
        await now.end_sound()
        await now.quiet(0.05)  # 0.3 s after its end
        assert not now.is_silent
        await now.final(words)
        await now.finish(segments=1)
        assert len(now.caller_turns) == 1


@pytest.mark.parametrize("words", ["Okay, thank you.", "sure take your time", "no rush", "I'll wait."])
async def test_thanks_while_the_answer_is_awaited_keep_the_running_request(words: str) -> None:
    async with call("Nine.", strategy="phrase") as now:
        await now.say("Find me a hotel near the station.")
        await now.loudspeaker.wait_until(lambda it: it.is_playing)
        now.loudspeaker.play()
        await now.quiet(1.0)
        requests = len(now.main.requests)
        await now.sound(0.5)
        await now.final(words)
        await settle()
        assert now.caller_turns == ["Find me a hotel near the station."]
        now.loudspeaker.automatic = True
        now.gate.set()
        await until(lambda: now.session.agent_state == "listening")
        assert len(now.main.requests) == requests
        assert "Nine." in now.messages[-1][1]


async def test_thanks_over_the_answer_are_a_turn() -> None:
    async with call() as now:
        await now.hear_answer()
        await now.sound(0.6)
        await now.final("Thank you, that's enough.")
        await until(lambda: len(now.caller_turns) == 2)


@pytest.mark.parametrize("seconds", [0.3, 0.45, 0.7])
async def test_coughs_over_the_answer_cost_no_word_of_it(seconds: float) -> None:
    async with call() as now:
        await now.hear_answer()
        for _ in range(5):
            await now.sound(seconds)
            await now.quiet(0.05)
            assert not now.is_silent
            await now.quiet(2.3 - seconds)
        await now.finish(segments=1)
        assert now.messages[-1][1].strip() == ANSWER


@pytest.mark.parametrize(
    "words",
    [
        "Honey, can you turn the TV down? I'm on the phone.",
        "Sweetie, go play in your room.",
        "Jake, get down from there!",
        "Tell your brother dinner is at six.",
    ],
)
async def test_side_talk_over_the_answer_is_not_replied_to(words: str) -> None:
    async with call() as now:
        await now.hear_answer()
        requests = len(now.main.requests)
        await now.sound(1.8)
        await now.quiet(0.5)
        await now.final(words)
        await settle()
        assert len(now.caller_turns) == 1
        assert len(now.main.requests) == requests
        assert not now.is_silent


@pytest.mark.parametrize(
    "words",
    [
        "yeah sounds good, can I get their phone number",
        "okay perfect and what is the postcode",
        "great, do you have their address",
        "sure, I need it for two people",
    ],
)
async def test_acceptance_with_a_request_is_a_request(words: str) -> None:
    async with call() as now:
        await now.hear_answer()
        await now.sound(1.8)
        await now.final(words)
        await until(lambda: len(now.caller_turns) == 2)
        assert now.caller_turns[-1] == words


@pytest.mark.parametrize("words", ["[BLANK_AUDIO]", "(coughs)", "*music*", "..."])
async def test_annotation_over_the_answer_is_no_turn(words: str) -> None:
    async with call() as now:
        await now.hear_answer()
        await now.sound(1.2)
        await now.final(words)
        await settle()
        assert not now.is_silent
        assert len(now.caller_turns) == 1


@pytest.mark.parametrize(
    "words",
    ["On Saturdays and Sundays it opens at ten.", "opens at nine on weekdays", "on saturday and sundays it opens"],
)
async def test_agents_own_words_are_no_turn_while_it_speaks(words: str) -> None:
    async with call() as now:
        await now.hear_answer()
        await now.sound(1.2)
        await now.final(words)
        await settle()
        assert not now.is_silent
        assert len(now.caller_turns) == 1


async def test_agents_own_words_are_no_turn_just_after_it_spoke() -> None:
    async with call() as now:
        await now.hear_answer()
        await now.sound(0.5)
        await now.finish(segments=1)
        await now.quiet(0.3)
        await now.final("the garden stays open until the evening.")
        await settle()
        assert len(now.caller_turns) == 1


async def test_words_of_the_agent_that_the_caller_repeats_afterwards_are_a_turn() -> None:
    async with call() as now:
        await now.hear_answer()
        await now.finish(segments=1)
        await now.quiet(0.5)
        await now.say("on Saturdays and Sundays")
        await until(lambda: len(now.caller_turns) == 2)


@pytest.mark.parametrize("words", ["Yeah.", "Okay.", "Sure."])
async def test_yes_to_a_question_of_the_agent_is_an_answer_also_in_its_last_words(words: str) -> None:
    async with call("It opens at nine. ", "Shall I book a ticket?") as now:
        await now.hear_answer(heard_s=2.0)
        await now.sound(0.4)
        await now.final(words)
        await until(lambda: len(now.caller_turns) == 2)
        assert now.caller_turns[-1] == words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "Ja, genau."),
        ("es", "Sí, claro."),
        ("fr", "D'accord."),
        ("pt", "Tá bom."),
        ("de", "Mhm."),
        ("fr", "Ah oui ?"),
    ],
)
async def test_backchannels_of_the_other_languages_pass(language: str, words: str) -> None:
    async with call(language=language) as now:
        await now.hear_answer()
        await now.sound(0.4)
        await now.final(words)
        await settle()
        assert len(now.caller_turns) == 1
        assert not now.is_silent


async def test_sound_that_goes_on_after_a_backchannel_silences_the_agent_again() -> None:
    async with call() as now:
        await now.hear_answer()
        await now.begin_sound()
        await now.pass_(0.5)
        await now.final("Yeah.")
        assert not now.is_silent
        await now.pass_(0.5)
        assert now.is_silent
        await now.end_sound()
        await now.final("but what about Sunday?")
        await until(lambda: len(now.caller_turns) == 2)


async def test_discarded_words_are_not_reported_as_a_missing_transcript() -> None:
    async with call() as now:
        await now.hear_answer()
        now.session.options.transcription_timeout = 60.0
        await now.sound(0.6)
        recognition = now.session._activity._audio_recognition  # type: ignore[union-attr]
        assert recognition is not None
        assert recognition._transcription_timeout_handle is not None, "livekit-agents times transcripts in another way"
        await now.final("Mm-hmm.")
        assert recognition._transcription_timeout_handle is None, "mend discard_user_speech in core/compat/livekit.py"
        assert recognition._user_turn_start is None


async def test_nothing_stays_of_words_that_first_looked_like_an_interruption() -> None:
    async with call() as now:
        await now.hear_answer()
        await now.begin_sound()
        now.ears.interim("Could")
        await now.handled()
        await now.end_sound()
        await now.final("Uh-huh.")
        recognition = now.session._activity._audio_recognition  # type: ignore[union-attr]
        assert recognition is not None
        assert recognition._current_transcript == ""
