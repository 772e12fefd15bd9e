"""The scores, and that no report contains a held-out turn."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest

from agent_worker.text.intent import Intent
from benchmarks.appropriateness import report
from benchmarks.appropriateness.scoring import Reply, Share, Verdict, check, reply, score
from benchmarks.appropriateness.turns import Turn, general_forbidden, read


def turn(*kinds: str, caller: str = "could you book me a taxi for seven", forbidden: Sequence[str] = ()) -> Turn:
    patterns = tuple(re.compile(pattern, re.IGNORECASE) for pattern in forbidden)
    return Turn("x-1", "en", None, caller, kinds, patterns, "some-tag")


def verdict(of: Turn, intent: Intent, *texts: str) -> Verdict:
    return check(of, Reply(intent, texts), general_forbidden())


def test_silence_is_right_only_where_the_agent_should_not_speak() -> None:
    assert verdict(turn(), Intent.HOLD).right
    assert not verdict(turn("request"), Intent.HOLD).decision_right
    assert not verdict(turn(), Intent.STORY, "I see.").decision_right


def test_any_label_fits() -> None:
    assert verdict(turn("question", "request"), Intent.REQUEST, "One moment.").fits
    assert not verdict(turn("question", "request"), Intent.THANKS, "You're welcome.").fits


def test_words_fit_if_every_phrase_is_in_the_list_of_a_label() -> None:
    confused = verdict(turn("request"), Intent.QUESTION, "One moment.", "Let me see.")
    assert (confused.fits, confused.words_fit) == (False, True)
    assert not verdict(turn("request"), Intent.REQUEST, "One moment.", "You're welcome.").words_fit
    assert verdict(turn("request"), Intent.HOLD).words_fit is None


def test_phrase_for_a_possible_problem_does_not_fit_a_problem() -> None:
    hedged = verdict(turn("problem"), Intent.PROBLEM, "Mm, I hear you.")
    assert (hedged.fits, hedged.words_fit) == (True, False)
    assert score([hedged]).feeling_missed.count == 1


def test_one_forbidden_phrase_is_enough() -> None:
    checked = verdict(turn("request", forbidden=["taxi"]), Intent.REQUEST, "One moment.", "A taxi, okay.")
    assert checked.forbidden
    assert not checked.right


def test_general_patterns_apply_to_every_turn() -> None:
    assert verdict(turn("request"), Intent.REQUEST, "We will book it.").forbidden


def test_reply_is_what_the_planned_move_offers() -> None:
    assert "Let me see." in reply(turn("request")).texts
    assert reply(turn(caller="[laughs]")).texts == ()


def test_score_counts_each_error_among_the_turns_where_it_can_occur() -> None:
    total = score(
        [
            verdict(turn("problem"), Intent.PROBLEM, "I'm so sorry."),
            verdict(turn("problem"), Intent.STORY, "I see."),
            verdict(turn("request"), Intent.HOLD),
            verdict(turn(), Intent.HOLD),
        ]
    )
    assert total.decision == Share(3, 4)
    assert total.kind == Share(1, 2)
    assert total.right == Share(2, 4)
    assert total.silent_wrongly == Share(1, 3)
    assert total.spoke_wrongly == Share(0, 1)
    assert total.feeling_missed == Share(1, 2)


def test_share_shows_its_counts_and_interval() -> None:
    assert str(Share(1, 4)) == "25.0% (1/4; 4.6% to 69.9%)"
    assert str(Share(0, 0)) == "-"


def test_report_contains_no_held_out_turn() -> None:
    secret = turn("request", caller="a very secret sentence", forbidden=["secret"])
    verdicts = {"heldout": [verdict(secret, Intent.REQUEST, "Some secret phrase.")]}
    result = report.Result(verdicts, {"heldout": [0.1]}, "command")
    for text in (report.markdown(result), json.dumps(report.data(result)), report.summary(result)):
        assert "secret" not in text
        assert "x-1" not in text


def test_page_shows_confusions_of_the_tuning_part_only() -> None:
    checked = [verdict(turn("request"), Intent.REQUEST, "One moment.")]
    timings = {"tune": [0.1], "heldout": [0.1]}
    shown = report.markdown(report.Result({"tune": checked, "heldout": checked}, timings, "command"))
    assert shown.count("## Kinds, on `tune`") == 1
    assert "Kinds, on `heldout`" not in shown


@pytest.mark.parametrize(("part", "count"), [("tune", 179), ("validation", 308)])
def test_readable_turns_are_complete(part: str, count: int) -> None:
    turns = read(part)
    assert len({turn.id for turn in turns}) == len(turns) == count
    assert {kind for turn in turns for kind in turn.kinds} <= {
        intent.value for intent in Intent if not intent.suppresses_preresponse
    }
