"""The benchmark of turn-taking: what it reads, and how it counts."""

from __future__ import annotations

import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the dependency group benchmarks")

from agent_worker.turn_taking.fusion import Fusion
from benchmarks.turn_taking import __main__ as command
from benchmarks.turn_taking import evaluate
from benchmarks.turn_taking.evaluate import Outcomes, cut_share_at, delay_at
from benchmarks.turn_taking.features import Moment, Silence, activity_of, silences_of, through_phone
from benchmarks.turn_taking.prosody import Prosody, prosody
from benchmarks.turn_taking.recordings import SAMPLE_RATE, TAIL_S, read, spread
from training.end_of_turn import fit

MANIFEST = "set\tfile\tspeaker\tnoise_dbfs\tspeech_start\tspeech_end\tend_label\tsource_span\ttranscript\n"
PAUSES = "file\tstart\tend\tdur\tlabel\thint\n"


def a_folder(folder: Path) -> Path:
    """Two turns of a call; the second has a pause, and a gap in which the other party speaks."""
    (folder / "aws-turns").mkdir(parents=True)
    for name in ("a.wav", "b.wav"):
        with wave.open(str(folder / "aws-turns" / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(np.full(4 * SAMPLE_RATE, 50, np.int16).tobytes())
    rows = [
        "aws-turns\taws-turns/b.wav\tcall 1, caller\t-50\t0.3\t3.5\ttrue_end\t10.0-14.0\tIt is red.",
        "aws-turns\taws-turns/a.wav\tcall 1, agent\t-50\t0.3\t3.5\tunknown\t2.0-6.0\tWhat colour?",
        "ami\tami/c.wav\tm\t-50\t0.3\t3.5\ttrue_end\t\tNo.",
    ]
    (folder / "MANIFEST.tsv").write_text(MANIFEST + "\n".join(rows) + "\n")
    pauses = [
        "aws-turns/b.wav\t1.0\t1.6\t0.6\thold\tmid",
        "aws-turns/b.wav\t2.0\t2.2\t0.2\thold\tmid",
        "aws-turns/b.wav\t2.5\t3.0\t0.5\tshift\tmid",
    ]
    (folder / "PAUSES.tsv").write_text(PAUSES + "\n".join(pauses) + "\n")
    return folder


def test_only_pauses_of_the_same_speaker_and_certain_ends_count(tmp_path: Path) -> None:
    (found,) = read(a_folder(tmp_path))
    assert [(event.start, event.end) for event in found.events] == [(1.0, 1.6), (3.5, None)]
    assert (found.kind, found.dialogue, found.question) == ("calls", "call 1", "What colour?")
    assert len(found.samples) == (3.5 + TAIL_S) * SAMPLE_RATE


def test_without_recordings_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmark", "--recordings", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"MANIFEST\.tsv does not exist.*docs/benchmarks/turn-taking\.md"):
        command.main()


def test_noise_is_spread_over_any_length() -> None:
    noise = np.random.default_rng(1).normal(0, 100, SAMPLE_RATE // 4).astype(np.int16)
    longer = spread(noise, 3 * SAMPLE_RATE)
    assert len(longer) == 3 * SAMPLE_RATE
    assert 0.5 < longer.std() / noise.std() < 1.5


def test_the_telephone_takes_the_high_frequencies() -> None:
    seconds = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    low, high = ((8000 * np.sin(2 * np.pi * hertz * seconds)).astype(np.int16) for hertz in (1000, 6000))
    assert through_phone(low).std() > 10 * through_phone(high).std()


def test_silence_has_no_ends_of_speech() -> None:
    assert list(silences_of(activity_of(np.zeros(SAMPLE_RATE, np.int16)))) == []


def test_prosody_hears_a_falling_end() -> None:
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    hertz = np.where(seconds < 1.6, 180, 120)
    voice = sum(np.sin(2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE * harmonic) / harmonic for harmonic in range(1, 6))
    loudness = np.where(seconds < 1.6, 4000, 1000)
    found = prosody((voice * loudness).astype(np.int16))
    assert found.level_drop_db > 3
    assert found.pitch_drop > 4
    assert prosody(np.zeros(10, np.int16)) == Prosody()


def outcomes(delays: list[list[float]]) -> Outcomes:
    """Return outcomes of an end, and of pauses of 0.5 and 1.0 s."""
    return Outcomes(
        np.array(delays), np.array([True, False, False]), np.array([np.inf, 0.5, 1.0]), np.array(["a", "a", "b"])
    )


def test_a_pause_is_cut_if_the_decision_comes_before_the_next_sound() -> None:
    found = outcomes([[0.3, 0.4, 0.4], [0.7, 0.6, 0.6], [1.5, 1.2, 1.2]])
    assert found.cut_shares().tolist() == [1.0, 0.5, 0.0]
    assert found.mean_delays().tolist() == [0.3, 0.7, 1.5]
    assert found.late_shares().tolist() == [0.0, 0.0, 1.0]
    assert cut_share_at(0.5)(found) == 0.75
    assert delay_at(0.5)(found) == 0.7
    assert np.isnan(cut_share_at(0.2)(found))


def moment(number: int, *, is_end: bool) -> Moment:
    """Return a moment that v1-mini recognises nearly always."""
    knows = number % 10 != 0
    return Moment(
        file=f"{number}",
        kind="calls",
        speaker=f"{number % 6}",
        dialogue=f"{number % 3}",
        start=1.0,
        end=None if is_end else 1.3 + (number % 7) / 5,
        hint="mid",
        spoken_s=1.0,
        silence=Silence(1.0, 1.256, None),
        mini=(0.9 if is_end is knows else 0.1,),
        smart=(0.5,),
        mini_in_time=(0.9 if is_end is knows else 0.1,),
        smart_in_time=(0.5,),
        prosody=Prosody(),
        text="some words",
        question="",
    )


MOMENTS = [moment(number, is_end=number % 2 == 0) for number in range(60)]


def test_other_detectors_are_asked_in_time_and_ours_ahead() -> None:
    fits = evaluate.Fits([replace(moment, mini_in_time=moment.smart, smart_in_time=moment.mini) for moment in MOMENTS])
    assert fits.without("0", evaluate.DETECTORS["fused"]).weights["mini"].weight > 0.5
    theirs = fits.without("0", evaluate.DETECTORS["both"]).weights
    assert theirs["smart"].weight > 0.5 > abs(theirs["mini"].weight)


def test_a_fit_uses_the_evidence_that_tells_ends_from_pauses() -> None:
    weights = fit(MOMENTS, ("log_silence", "mini", "smart")).weights
    assert weights["mini"].weight > 0.5 > abs(weights["smart"].weight)


def test_better_evidence_cuts_fewer_pauses_at_the_same_delay() -> None:
    curves = evaluate.replay(MOMENTS, evaluate.Fits(MOMENTS))
    assert cut_share_at(0.45)(curves["v1-mini"]) < cut_share_at(0.45)(curves["silence alone"])


def test_each_dialogue_is_judged_by_a_fit_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def recorded(known: list[Moment], names: tuple[str, ...]) -> object:
        seen.append({moment.dialogue for moment in known})
        return fit(known, names)

    monkeypatch.setattr(evaluate, "fit", recorded)
    evaluate.replay_one(MOMENTS, evaluate.Fits(MOMENTS), evaluate.SILENCE)
    assert seen == [{"1", "2"}, {"0", "2"}, {"0", "1"}]


@pytest.mark.parametrize(("detector", "with_smart_turn"), [("fused", True), ("fused without smart-turn", False)])
def test_shipped_weights_are_not_fitted(detector: str, with_smart_turn: bool) -> None:
    fits = evaluate.Fits(MOMENTS, shipped=True)
    shipped = Fusion.load(with_smart_turn=with_smart_turn)
    assert fits.without("0", evaluate.DETECTORS[detector]) is shipped
    assert fits.without("0", evaluate.DETECTORS["v1-mini"]).weights != shipped.weights


def test_policies_are_those_that_are_configured() -> None:
    found = evaluate.policies(MOMENTS, evaluate.Fits(MOMENTS))
    stock = found["stock livekit-agents"].delays[0]
    assert set(np.round(stock, 3)) == {0.3, 2.5}
    ours = found["agent-worker, fused"].delays[0]
    assert ours.max() <= evaluate.MAX_DELAY_S
