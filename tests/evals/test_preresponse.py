"""The judge of pre-responses is independent of the engine, and the part kept aside is never touched unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.preresponse import dialogues, labels, report
from evals.preresponse.labels import Turn
from evals.preresponse.measure import Graded, compare_moves, grade_turns
from evals.preresponse.moves import Said, asked_for, begun_by_human, said_by_agent
from evals.preresponse.parts import part_of
from evals.preresponse.rubric import Grade, grade

LOOK_UP_DUE = Turn("dstc", "4", "Sure.", "do they have parking", "yes", frozenset("L"))
FACT_DUE = Turn("dstc", "4", "It is the Marina Inn.", "can i get the phone number", "either", frozenset("L"))
WORD_DUE = Turn("hv", "a", "Which card?", "my debit card", "either", frozenset("A"))
HALF_A_NUMBER = Turn("hv", "a", "What is the zip code?", "nine four one", "no", frozenset("M"))
DONE = Turn("hv", "a", "Anything else?", "no that's it thanks", "either", frozenset("W"))


@pytest.mark.parametrize(
    ("turn", "text", "expected"),
    [
        (LOOK_UP_DUE, "Let me check.", Grade.FITS),
        (LOOK_UP_DUE, "Oh, let me see.", Grade.ACCEPTABLE),
        (LOOK_UP_DUE, "Let me think.", Grade.ODD),
        (LOOK_UP_DUE, None, Grade.ACCEPTABLE),
        (LOOK_UP_DUE, "Mm, I see.", Grade.WRONG),
        (LOOK_UP_DUE, "Okay.", Grade.ODD),
        (LOOK_UP_DUE, "Sure.", Grade.ODD),
        (LOOK_UP_DUE, "Oh, I'm so sorry.", Grade.HARMFUL),
        (LOOK_UP_DUE, "Glad I could help.", Grade.HARMFUL),
        (FACT_DUE, "Sure.", Grade.ACCEPTABLE),
        (FACT_DUE, None, Grade.FITS),
        (WORD_DUE, "Okay.", Grade.FITS),
        (WORD_DUE, "One moment.", Grade.ACCEPTABLE),
        (HALF_A_NUMBER, None, Grade.FITS),
        (HALF_A_NUMBER, "Mm-hm.", Grade.ACCEPTABLE),
        (HALF_A_NUMBER, "Got it.", Grade.HARMFUL),
        (DONE, "You're welcome.", Grade.FITS),
        (DONE, "Okay, let me see.", Grade.WRONG),
        (DONE, "Hello!", Grade.WRONG),
    ],
)
def test_grade_follows_the_label(turn: Turn, text: str | None, expected: Grade) -> None:
    assert grade(turn, text, answer_after_s=1.6) is expected


def test_silence_is_odd_when_the_answer_takes_long_and_a_move_is_odd_the_third_time() -> None:
    assert grade(LOOK_UP_DUE, None, answer_after_s=4.0) is Grade.ODD
    assert grade(LOOK_UP_DUE, "Let me check.", 1.6, run=3) is Grade.ODD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, Said.NOTHING),
        ("Mm-hmm.", Said.BACKCHANNEL),
        ("Okay, one moment.", Said.LOOK_UP),
        ("Okay, thank you.", Said.WORD),
        ("Of course.", Said.CONSENT),
        ("I'm sorry you're dealing with this.", Said.SYMPATHY),
        ("Good morning!", Said.GREETING),
    ],
)
def test_move_is_named_by_the_words_alone(text: str | None, said: Said) -> None:
    assert said_by_agent(text) is said


def test_human_moves_are_counted_by_how_the_reply_begins() -> None:
    assert begun_by_human("sure let me go ahead and check that for you. all right it is free") == "look-up"
    assert begun_by_human("of course it's four one five") == "one word"
    assert begun_by_human("zip code is nine four one") == "nothing"
    assert (asked_for("what's the zip code"), asked_for("i'm looking for a cheap price hotel")) == ("fact", "else")


def test_dialogues_divisible_by_five_are_kept_aside() -> None:
    assert [part_of("dstc", str(number)) for number in range(5)] == ["kept-aside", "train", "train", "train", "test"]
    assert {part_of("hv", name) for name in map(str, range(30))} == {"kept-aside", "train", "test"}


def test_both_collections_are_read_turn_by_turn(tmp_path: Path) -> None:
    turns = [{"speaker": "U", "text": "hi"}, {"speaker": "S", "text": "hello"}, {"speaker": "U", "text": "a hotel"}]
    (tmp_path / "logs.json").write_text(json.dumps([turns[:1], turns]), encoding="utf-8")
    call = tmp_path / "hv" / "transcript" / "0a.json"
    call.parent.mkdir(parents=True)
    segments = [("agent", "hello"), ("caller", "[noise]"), ("caller", "hi"), ("caller", "my card"), ("agent", "okay")]
    rows = [
        {"index": index, "speaker_role": who, "human_transcript": text} for index, (who, text) in enumerate(segments)
    ]
    call.write_text(json.dumps(rows), encoding="utf-8")
    dstc, harper_valley = dialogues.read(tmp_path)
    assert [(each.agent, each.caller, each.reply) for each in dstc.exchanges] == [
        ("", "hi", "hello"),
        ("hello", "a hotel", ""),
    ]
    assert [(each.agent, each.caller, each.reply) for each in harper_valley.exchanges] == [
        ("hello", "hi my card", "okay")
    ]


def test_labels_are_read_and_unknown_ones_refused(tmp_path: Path) -> None:
    header = "id\tcontext\tcaller\tblind_should_speak\tblind_what_would_fit\n"
    (tmp_path / "judged.tsv").write_text(f"{header}dstc:4:2\tSure.\tis it open\tyes\tAL\n", encoding="utf-8")
    assert labels.read(tmp_path) == [Turn("dstc", "4", "Sure.", "is it open", "yes", frozenset("AL"))]
    (tmp_path / "judged.tsv").write_text(f"{header}dstc:4:2\tSure.\tis it open\tyes\tX\n", encoding="utf-8")
    with pytest.raises(ValueError, match="dstc:4:2"):
        labels.read(tmp_path)


async def test_engine_is_graded_and_its_moves_are_counted_beside_the_human_agents() -> None:
    graded = await grade_turns([DONE, WORD_DUE], 1.6, is_bare=True)
    assert len(graded) == 2
    exchange = dialogues.Exchange("", "what's the phone number", "sure it's four one five")
    found = await compare_moves([dialogues.Dialogue("dstc", "4", (exchange, exchange))], 1.6)
    assert (found.turns, found.human["fact", "one word"], len(found.durations_ms)) == (2, 2, 2)


def test_texts_are_shown_only_for_errors() -> None:
    wrong = Graded(DONE, "Okay, let me see.", Grade.WRONG)
    assert DONE.caller not in report.grades([wrong], 1.6, "as written")
    assert DONE.caller in report.errors([wrong])
