"""The benchmark of anticipation: how it counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the dependency group benchmarks")

from benchmarks.anticipation import report
from benchmarks.anticipation.before_end import Turn, alarms, auc
from benchmarks.anticipation.calls import Calls
from benchmarks.anticipation.early import EarlyFit, Variant, decided_early
from benchmarks.anticipation.probes import (
    Answer,
    EarlySilence,
    Probes,
    SpeechProbe,
    early_silences,
    short_silences,
    speaking_at,
)
from benchmarks.anticipation.settings import cut_shares, delays, heard_shares, parts, quickest
from benchmarks.harness.cli import ReportFiles
from benchmarks.turn_taking import evaluate
from benchmarks.turn_taking.evaluate import CUT_COSTS_S, Outcomes
from benchmarks.turn_taking.features import Activity
from benchmarks.turn_taking.recordings import Event
from tests.benchmarks.test_turn_taking import MOMENTS, moment

WINDOW_S = 0.032


def outcomes(delays_s: list[list[float]], lasts_s: list[float]) -> Outcomes:
    """Return outcomes of several settings; a moment that lasts for ever is an end."""
    lasts = np.array(lasts_s)
    return Outcomes(np.array(delays_s), np.isinf(lasts), lasts, np.array(list("abcdef"[: len(lasts)])))


def activity(voices: str) -> list[Activity]:
    """Return the windows of a voice activity detector that hears voice in those with a ``v``."""
    found, silence_s = [], 0.0
    for number, voice in enumerate(voices):
        found.append(Activity((number + 1) * WINDOW_S, 1.0 if voice == "v" else 0.0, silence_s < 0.25, silence_s))
        silence_s = 0.0 if voice == "v" else silence_s + WINDOW_S
    return found


def test_cuts_in_short_pauses_count_on_top_of_the_long_ones() -> None:
    assert cut_shares(outcomes([[0.1, 0.5, 0.1, 0.3]], [0.15, 0.4, 0.8, np.inf])) == pytest.approx([1.0])


def test_the_quickest_setting_within_the_share_counts() -> None:
    found = outcomes([[0.1, 0.2], [0.7, 0.5], [0.8, 0.6]], [0.4, np.inf])
    chosen = quickest(found, 0.1)
    assert chosen is not None
    assert chosen.tolist() == [0.7, 0.5]
    assert quickest(outcomes([[0.1, 0.2]], [0.4, np.inf]), 0.1) is None
    assert delays(found, 0.1, seed=1).p50.value == pytest.approx(0.5)


def test_an_opener_that_is_withdrawn_in_time_is_not_heard() -> None:
    found = outcomes([[0.3, 0.3, 0.3]], [0.4, 0.6, np.inf])
    assert cut_shares(found) == pytest.approx([1.0])
    assert heard_shares(0.15)(found) == pytest.approx([0.5])


def test_a_delay_consists_of_offset_silence_and_doubt() -> None:
    found = parts(np.array([0.306, 0.8]), np.array([0.05, 0.05]))
    assert (found.offset, found.window) == pytest.approx((0.05, 0.256))
    assert found.doubt == pytest.approx(0.247)
    assert found.at_once == 0.5


def test_silences_too_short_for_the_detector_are_found_within_the_turn() -> None:
    windows = activity("vvvv...vvvv.vvvv" + "." * 12 + "vvvv..vv" + "." * 40)
    assert list(short_silences(windows)) == [(0.128, 0.224), (1.024, 1.088)]
    pause, end = Event(0.52, 0.9, "mid"), Event(1.16, None, "")
    found = list(early_silences([pause, end], 0.0, windows))
    assert found == [(0.52, 0.512, 0.9), (1.16, 1.152, None), (None, 0.128, 0.224), (None, 1.024, 1.088)]


def test_a_pause_that_the_detector_misses_has_the_short_silence_in_it() -> None:
    windows = activity("vvvv......vvvv" + "." * 40)
    found = list(early_silences([Event(0.1, 0.36, "mid"), Event(0.448, None, "")], 0.0, windows))
    assert found[0] == (0.1, 0.128, 0.36)
    assert len(found) == 2


def test_the_models_are_probed_within_speech_only() -> None:
    windows = activity("v" * 10 + "." * 7 + "v" * 20)
    assert speaking_at(windows, 0.0, 1.0) == [0.25, 0.75]


def silence(lasts_s: float | None, probability: float, start: float | None = None) -> EarlySilence:
    """Return a silence in which both models give a probability."""
    return EarlySilence(start, 1.0, None if lasts_s is None else 1.0 + lasts_s, (Answer(probability, probability),) * 2)


def test_an_early_decision_follows_the_models() -> None:
    known = [silence(None, 0.95)] * 20 + [silence(0.15, 0.05)] * 20 + [silence(0.6, 0.1)] * 20
    fit = EarlyFit(Variant(0.064, 0.064), known)
    likely, unlikely = fit.decided(silence(None, 0.95)), fit.decided(silence(None, 0.05))
    assert likely[0] == pytest.approx(0.064)
    assert (likely <= unlikely).all()
    assert np.isinf(likely[-1])
    dearer = EarlyFit(Variant(0.064, 0.064, 10), known).decided(silence(None, 0.95))
    assert (likely <= dearer).all()


def test_short_pauses_are_appended_and_decisions_never_come_later() -> None:
    end, pause = moment(0, is_end=True), moment(1, is_end=False)
    found = [silence(None, 0.95, end.start), silence(0.15, 0.05), silence(0.6, 0.1, 2.0)]
    known = [Probes(end.file, "calls", end.speaker, end.dialogue, tuple(found), ())]
    known += [replace(known[0], file="other", dialogue=dialogue) for dialogue in ("other", "another")]
    curve = outcomes([[0.5, 0.5]] * len(CUT_COSTS_S), [np.inf, 0.5])
    early = decided_early(Variant(0.064, 0.064), known, [end, pause], curve)
    assert early.duration[2:] == pytest.approx([0.15])
    assert early.delays[0, 0] == pytest.approx(0.064)
    assert (early.delays[:, :2] <= 0.5).all()
    assert not early.is_end[2:].any()


def turn(name: str, scores: list[float]) -> Turn:
    """Return a turn with a probe every 0.25 s before its end."""
    before = np.arange(len(scores), 0, -1).astype(np.float64) * 0.25
    return Turn(name, name, name, before, np.array(scores))


def test_an_alarm_early_in_the_turn_is_false_and_one_at_its_end_is_not() -> None:
    found = [
        turn("a", [0.1, 0.2, 0.9]),
        turn("b", [0.2, 0.2, 0.1]),
        turn("c", [0.1, 0.8, 0.9]),
        turn("d", [0.3, 0.1, 0.1]),
    ]
    told = alarms(found, 0.05, seed=1)
    assert told.files == ("a", "c")
    assert told.anticipated.value == 0.5
    assert told.false.value == 0.25
    assert auc([turn("a", [0.1, 0.9]), turn("b", [0.2, 0.8])], seed=1).value == 1.0


def test_the_report_has_all_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "_RESAMPLES", 5)
    answers = (Answer(0.9, 0.8), Answer(0.1, 0.3))
    known = []
    for number, it in enumerate(MOMENTS):
        lasts_s = None if it.end is None else it.end - it.start
        sound = silence(lasts_s, 0.9 if it.end is None else 0.2, it.start)
        speech = (
            [SpeechProbe(before, answers[number % 2]) for before in (0.9, 0.65, 0.4, 0.15)] if it.end is None else []
        )
        known.append(Probes(it.file, it.kind, it.speaker, it.dialogue, (sound, silence(0.1, 0.3)), tuple(speech)))
    run = report.Run(MOMENTS, known, Calls(0.11, 0.01, 0.1, {"without": (1.5, 0.6, 13)}), seed=1, note="Invented.")
    report.write(run, ReportFiles.at(tmp_path, "anticipation"))
    page = (tmp_path / "anticipation.md").read_text()
    assert "30 ends, 30 pauses" in page
    assert "The 60 shorter silences" in page
    assert "120 moments of 30 turns" in page
    figures = json.loads((tmp_path / "anticipation.json").read_text())
    assert set(figures) == {
        "seed", "policy", "cut_as_configured", "detector", "parts", "bounds", "calls", "early", "before_the_end",
        "released",
    }  # fmt: skip
