from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import results as files
from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.clips import UTTERANCES
from benchmarks.harness.simulation import simulation
from benchmarks.harness.systems import SYSTEMS
from benchmarks.latency.calls import CallResult, TurnRow
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.report import markdown
from benchmarks.latency.results import Cell, Results
from benchmarks.latency.run import RunOptions, waves_of
from benchmarks.latency.summary import DEFAULT_SYSTEM, Target, summaries, summarize, targets
from model_server.simulation import SimulationConfig


def row(response: float = 0.6, answer: float = 1.2, **more: Any) -> dict[str, Any]:
    return {"response_gap": response, "answer_gap": answer, **more}


def preresponse(gap: float, *, ready: float, end: float, answer: float = 2.0) -> dict[str, Any]:
    record = {"end_of_turn_delay": 0.4, "response_gap": 0.5, "instants": {"main_first_audio": ready}}
    record["instants"]["preresponse_end"] = end  # type: ignore[index]
    return row(answer=answer, inter_segment_gap=gap, preresponse=True, records=[record])


def options(tmp_path: Path, **more: Any) -> RunOptions:
    standard: dict[str, Any] = {
        "profiles": [PROFILES["cloud"]],
        "systems": list(SYSTEMS.values()),
        "turns": 60,
        "parallel": 3,
        "seed": 1,
        "out": tmp_path / "out.json",
        "pipecat_python": "python",
        "about": {},
    }
    return RunOptions(**{**standard, **more})


def test_each_round_calls_each_system_once_within_the_limit_of_parallel_calls(tmp_path: Path) -> None:
    waves = waves_of(options(tmp_path), PROFILES["cloud"])
    cells = [cell for wave in waves for cell in wave]
    systems = [name for name, system in SYSTEMS.items() if not system.has_tool and not system.flux]
    assert sorted(cells) == sorted(Cell("cloud", system, round) for system in systems for round in range(10))
    assert max(len(wave) for wave in waves) == 3
    assert all(len({cell.round for cell in wave}) == 1 for wave in waves)


def test_seed_decides_the_order(tmp_path: Path) -> None:
    first, again = (waves_of(options(tmp_path), PROFILES["cloud"]) for _ in range(2))
    other = waves_of(options(tmp_path, seed=2), PROFILES["cloud"])
    assert first == again != other


def test_profile_real_makes_one_call_at_a_time(tmp_path: Path) -> None:
    assert {len(wave) for wave in waves_of(options(tmp_path, turns=6), PROFILES["real"])} == {1}


def test_results_are_saved_and_loaded(tmp_path: Path) -> None:
    cell = Cell("cloud", "stock", 0)
    results = Results({"cloud": {"machine": "two cores", "transport_delay": 0.1}})
    result = CallResult.of(
        [TurnRow(1, UTTERANCES[0], 0.7, 1.5, inter_segment_gap=0.0, records=[{"answer": "é"}])], "line cut"
    )
    results.add(cell, result, counts=False, attempt=1)
    assert results.done() == set()
    results.add(cell, result, counts=True, attempt=2)
    files.save(tmp_path / "new" / "out.json", results)
    back = files.load(tmp_path / "new" / "out.json", Results)
    assert back == results
    assert back.done() == {cell}
    assert back.turns[0]["inter_segment_gap"] == 0.0
    assert "preresponse" not in back.turns[0]


def test_without_keeps_the_other_profiles() -> None:
    results = Results(profiles={"cloud": {"transport_delay": 0.1}, "jitter": {"transport_delay": 0.2}})
    for profile in ("cloud", "jitter"):
        results.add(Cell(profile, "stock", 0), CallResult.of([]), counts=True)
    left = results.without(["cloud"])
    assert left.profiles == {"jitter": {"transport_delay": 0.2}}
    assert left.done() == {Cell("jitter", "stock", 0)}
    assert {call["profile"] for call in left.calls} == {"jitter"}


def test_failed_call_has_a_failure_for_each_missing_turn() -> None:
    result = CallResult.of([TurnRow(1, UTTERANCES[0], 0.7, 1.5)], "no agent")
    assert len(result.rows) == len(UTTERANCES)
    assert [found.failure for found in result.rows] == [None] + ["no agent"] * (len(UTTERANCES) - 1)


def test_failed_turns_count_as_failures_only() -> None:
    summary = summarize("cloud", "stock", [row(), row(response=0.8), {"failure": "no reply"}])
    assert (summary.turns, summary.failures) == (3, 1)
    assert summary.response_gap is not None
    assert summary.response_gap.count == 2


def test_gap_is_summarized_separately_for_turns_whose_answer_was_ready() -> None:
    rows = [preresponse(0.05, ready=1.0, end=1.5), preresponse(0.9, ready=2.4, end=1.5)]
    summary = summarize("slow-main", DEFAULT_SYSTEM, rows)
    assert summary.inter_segment_gap is not None
    assert summary.gap_when_ready is not None
    assert (summary.inter_segment_gap.count, summary.gap_when_ready.count) == (2, 1)
    assert summary.gap_when_ready.p50 == 0.05


@pytest.mark.parametrize(
    ("gap", "ready", "later"),
    [(0.05, 1.0, -0.1), (0.5, 2.5, 1.8)],
    ids=["pre-response was still playing: from when it was ready", "waited for in silence: as heard"],
)
def test_answer_is_compared_with_stocks_from_when_it_was_due(gap: float, ready: float, later: float) -> None:
    ours = preresponse(gap, ready=ready, end=1.9, answer=3.0)
    table = {
        ("cloud", DEFAULT_SYSTEM): summarize("cloud", DEFAULT_SYSTEM, [ours], transport_delay=0.1),
        ("cloud", "stock"): summarize("cloud", "stock", [row()]),
    }
    (found,) = [target for target in targets(table) if target.what.startswith("answer gap")]
    assert found.value == pytest.approx(later)


def test_transport_delay_is_subtracted_before_record_and_caller_are_compared() -> None:
    summary = summarize("cloud", DEFAULT_SYSTEM, [preresponse(0.1, ready=1.0, end=1.5)], transport_delay=0.1)
    assert summary.record is not None
    assert summary.record.p95 == pytest.approx(0.0)


def test_cloud_targets_are_ratios_to_stock_and_seed() -> None:
    table = {
        ("cloud", name): summarize("cloud", name, [row(response=gap)])
        for name, gap in ((DEFAULT_SYSTEM, 0.5), ("stock", 1.0), ("seed", 1.2))
    }
    values = {target.what: (target.value, target.met) for target in targets(table)}
    assert values["response gap p50, of stock's"] == (pytest.approx(0.5), True)
    assert values["response gap p50, of seed's"] == (pytest.approx(0.4167, abs=1e-3), False)
    assert values["response gap p50 less own end-of-turn delay p50"] == (None, None)


def test_target_that_was_not_measured_is_neither_met_nor_missed() -> None:
    assert Target("cloud", "x", None, 0.1).met is None


def test_page_shows_failures_and_missed_targets() -> None:
    about = {"machine": "two cores", "versions": "livekit 1.1", "command": "c", "commit": "0", "began": "today"}
    results = Results({"cloud": {**about, "transport_delay": 0.1}})
    results.add(Cell("cloud", "stock", 0), CallResult.of([], "no agent came"), counts=True, attempt=2)
    good = [
        TurnRow(
            1, UTTERANCES[0], 2.0, 2.5, inter_segment_gap=0.3, preresponse=True, records=[{"end_of_turn_delay": 0.4}]
        )
    ]
    results.add(Cell("cloud", DEFAULT_SYSTEM, 0), CallResult.of(good * 6), counts=True, attempt=1)
    page = markdown(results, ReportFiles(Path("latency.json")))
    assert "| stock | 6 | - |" in page
    assert "cloud, stock, round 0: no agent came" in page
    assert "two cores; livekit 1.1; transport delay of audio, there and back: 100 ms" in page
    assert "response gap p50 less own end-of-turn delay p50 | 1600 ms | 80 ms | **NOT met**" in page
    assert (
        f"| **{DEFAULT_SYSTEM}** | 6 | 2000 [2000, 2000] | 2000 | 2500 [2500, 2500] | 2500 | 400 / 400 | 1600 / 1600 |"
        in page
    )


def test_rows_without_a_record_are_summarised() -> None:
    results = Results(turns=[{"profile": "cloud", "system": "pipecat", "round": 0, **row()}])
    (summary,) = summaries(results).values()
    assert summary.end_of_turn is None
    assert summary.record is None


@pytest.mark.parametrize("name", ["cloud", "slow-main", "fast-main", "jitter"])
def test_simulation_transcribes_the_callers_utterances_in_order(name: str) -> None:
    latencies = PROFILES[name].latencies
    assert latencies is not None
    config = simulation(latencies, seed=1)
    SimulationConfig.model_validate(config)
    assert config["stt"]["*"]["transcripts"] == list(UTTERANCES)
    assert ("p95_over_median" in config["tts"]["*"]) == (name == "jitter")
