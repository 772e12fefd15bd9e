from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.markdown import table
from benchmarks.harness.stats import agreement, median_difference, percentile, spread, wilson_interval
from testbed.processes import ServiceError


def test_confidence_interval_contains_the_median_and_narrows_with_more_values() -> None:
    chance = np.random.default_rng(3)
    few, many = (spread(list(chance.normal(1.0, 0.1, count))) for count in (20, 500))
    assert few is not None
    assert many is not None
    assert few.low <= few.p50 <= few.high <= few.p95
    assert many.high - many.low < few.high - few.low
    assert many.p50 == pytest.approx(1.0, abs=0.02)
    assert many.p95 == pytest.approx(1.164, abs=0.03)


def test_same_values_give_the_same_interval() -> None:
    values = [0.9, 1.0, 1.3, 0.8, 1.1]
    assert spread(values) == spread(values)


def test_empty_samples_have_no_statistics() -> None:
    assert spread([]) is None
    assert agreement([]) is None
    assert math.isnan(percentile([], 50))


def test_agreement_is_median_offset_and_p95_of_the_difference() -> None:
    pairs = [(1.1 + jitter, 1.0) for jitter in (-0.02, -0.01, 0.0, 0.01, 0.02)]
    found = agreement(pairs)
    assert found is not None
    assert found.offset == pytest.approx(0.1)
    assert found.p95 == pytest.approx(0.118)


def test_difference_of_medians_is_within_its_interval() -> None:
    difference, low, high = median_difference([1.0, 1.1, 1.2], [0.5, 0.6, 0.7])
    assert difference == pytest.approx(0.5)
    assert low <= difference <= high


def test_wilson_interval() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(45, 50) == pytest.approx((0.786, 0.957), abs=1e-3)


@dataclass
class Level:
    calls: int
    gaps: list[float] = field(default_factory=list)


@dataclass
class Found:
    levels: list[Level]


def test_results_are_rounded_and_spread_over_lines_to_the_given_depth(tmp_path: Path) -> None:
    path = tmp_path / "new" / "found.json"
    results.save(path, Found([Level(1, [0.123456]), Level(2)]), depth=2, digits=3)
    assert path.read_text().splitlines()[2] == '{"calls": 1, "gaps": [0.123]},'
    assert results.load(path, Found) == Found([Level(1, [0.123]), Level(2)])


def test_out_is_a_file_or_a_folder() -> None:
    assert ReportFiles.at(Path("a/b.json"), "soak").page == Path("a/b.md")
    assert ReportFiles.at(Path("a"), "soak").json == Path("a/soak.json")


def test_described_command_omits_paths_and_notes() -> None:
    arguments = ["--turns", "4", "--out", "x.json", "--note=a note", "--pipecat-python", "python"]
    assert machine.describe("latency", arguments)["command"] == "python -m benchmarks.latency --turns 4"


def test_table_aligns_numbers_to_the_right() -> None:
    assert table(["a", "b"], [["x", 1]], numbers=True) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_run_reports_a_service_error_as_the_exit_message() -> None:
    async def fail() -> None:
        raise ServiceError("no LiveKit server")

    with pytest.raises(SystemExit, match="no LiveKit server"):
        cli.run(fail())
