"""The score counts what it says it counts, and nothing of a held-out turn gets out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest

from agent_worker.text.intent import Intent
from benchmarks.appropriateness import candidates, report
from benchmarks.appropriateness.candidates import Candidate
from benchmarks.appropriateness.scoring import Share, Verdict, judge, score, wilson
from benchmarks.appropriateness.turns import Turn, general_forbidden, read


def turn(*kinds: str, caller: str = "could you book me a taxi for seven", forbidden: Sequence[str] = ()) -> Turn:
    patterns = tuple(re.compile(pattern, re.IGNORECASE) for pattern in forbidden)
    return Turn("x-1", "en", None, caller, kinds, patterns, "some-tag")


def said(kind: Intent, *texts: str, source: str = "phrase") -> Candidate:
    return Candidate(kind, texts, source if texts else "silence")


def verdict(of: Turn, candidate: Candidate) -> Verdict:
    return judge(of, candidate, general_forbidden())


def test_silence_is_right_where_nothing_should_be_said_and_wrong_elsewhere() -> None:
    assert verdict(turn(), said(Intent.HOLD)).right
    assert not verdict(turn("request"), said(Intent.HOLD)).decision_right
    assert not verdict(turn(), said(Intent.STORY, "I see.")).decision_right


def test_any_of_the_labels_fits() -> None:
    assert verdict(turn("question", "request"), said(Intent.REQUEST, "One moment.")).fits
    assert not verdict(turn("question", "request"), said(Intent.THANKS, "You're welcome.")).fits


def test_words_fit_if_every_phrase_is_in_the_list_of_a_label_whatever_the_kind_was_judged_to_be() -> None:
    confused = verdict(turn("request"), said(Intent.QUESTION, "One moment.", "Let me see."))
    assert (confused.fits, confused.words_fit) == (False, True)
    assert not verdict(turn("request"), said(Intent.REQUEST, "One moment.", "You're welcome.")).words_fit
    assert verdict(turn("request"), said(Intent.HOLD)).words_fit is None


def test_what_fits_a_possible_problem_does_not_count_as_fitting_a_problem() -> None:
    hedged = verdict(turn("problem"), said(Intent.PROBLEM, "Mm, I hear you."))
    assert (hedged.fits, hedged.words_fit) == (True, False)
    assert score([hedged]).feeling_missed.count == 1


def test_one_forbidden_phrase_among_those_that_could_be_picked_is_enough() -> None:
    judged = verdict(turn("request", forbidden=["taxi"]), said(Intent.REQUEST, "One moment.", "A taxi, okay."))
    assert judged.forbidden
    assert not judged.right


def test_the_general_patterns_apply_to_every_turn() -> None:
    assert verdict(turn("request"), said(Intent.REQUEST, "We will book it.")).forbidden


@pytest.mark.parametrize(
    ("kinds", "sentence", "fits"),
    [
        (["problem"], "Oh, I'm so sorry.", True),
        (["problem"], "Let me see.", False),
        (["question"], "I'm sorry to hear that.", False),
        (["question"], "Let me think about that.", True),
        (["story", "problem"], "I'm sorry to hear that.", True),
    ],
)
def test_a_models_sentence_fits_if_it_is_sorry_where_that_is_due(kinds: list[str], sentence: str, fits: bool) -> None:
    assert verdict(turn(*kinds), said(Intent.QUESTION, sentence, source="llm")).fits is fits


def test_a_refused_sentence_is_replaced_by_phrases_of_the_kind() -> None:
    candidate = candidates.llm(turn("request"), lambda _: "Yes, it costs ten dollars.")
    assert candidate.source == "phrase"
    assert candidate.refused is not None
    assert candidate.texts == candidates.phrase(turn("request")).texts


def test_a_late_sentence_is_replaced_and_a_silent_turn_is_not_asked_about() -> None:
    assert candidates.llm(turn("request"), lambda _: "One moment.", budget=-1).refused == "late"
    asked: list[str] = []
    candidates.llm(turn(caller="[laughs]"), lambda words: asked.append(words) or "")  # type: ignore[func-returns-value]
    assert asked == []


def test_the_score_counts_each_mistake_among_the_turns_where_it_can_be_made() -> None:
    total = score(
        [
            verdict(turn("problem"), said(Intent.PROBLEM, "I'm so sorry.")),
            verdict(turn("problem"), said(Intent.STORY, "I see.")),
            verdict(turn("request"), said(Intent.HOLD)),
            verdict(turn(), said(Intent.HOLD)),
        ]
    )
    assert (total.decision.count, total.decision.of) == (3, 4)
    assert (total.kind.count, total.kind.of) == (1, 2)
    assert (total.right.count, total.right.of) == (2, 4)
    assert (total.silent_wrongly.count, total.silent_wrongly.of) == (1, 3)
    assert (total.spoke_wrongly.count, total.spoke_wrongly.of) == (0, 1)
    assert (total.feeling_missed.count, total.feeling_missed.of) == (1, 2)


def test_wilson_interval() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(45, 50)
    assert (round(low, 3), round(high, 3)) == (0.786, 0.957)
    assert str(Share(1, 4)) == "25.0% (1/4; 4.6% to 69.9%)"
    assert str(Share(0, 0)) == "-"


def test_nothing_of_a_held_out_turn_gets_into_the_report() -> None:
    secret = turn("request", caller="a very secret sentence", forbidden=["secret"])
    verdicts = {"heldout": {"phrase": [verdict(secret, said(Intent.REQUEST, "Some secret phrase."))]}}
    result = report.Result(verdicts, {"heldout": [0.1]}, "command")
    for text in (report.page(result), json.dumps(report.data(result)), report.summary(result)):
        assert "secret" not in text
        assert "x-1" not in text


def test_the_page_shows_confusions_of_the_tuning_part_only() -> None:
    judged = [verdict(turn("request"), said(Intent.REQUEST, "One moment."))]
    timings = {"tune": [0.1], "heldout": [0.1]}
    shown = report.page(report.Result({"tune": {"phrase": judged}, "heldout": {"phrase": judged}}, timings, "command"))
    assert shown.count("## Kinds, on `tune`") == 1
    assert "Kinds, on `heldout`" not in shown


@pytest.mark.parametrize(("part", "count"), [("tune", 179), ("validation", 308)])
def test_the_turns_that_may_be_read_are_complete(part: str, count: int) -> None:
    turns = read(part)
    assert len({turn.id for turn in turns}) == len(turns) == count
    assert {kind for turn in turns for kind in turn.kinds} <= {
        intent.value for intent in Intent if not intent.suppresses_preresponse
    }
