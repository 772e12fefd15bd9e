"""Random metrics of random processes: the results of prometheus_client's own collector, before and after compaction.

A dead process is compared without its `gauge_live*` and `gauge_all` files, which end with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_metrics.collector import FolderCollector
from agent_metrics.compat.prometheus import MmapedDict, mmap_key
from agent_metrics.series import KEPT_KINDS, LIVE_KINDS
from agent_metrics.totals import exact_partials, exact_sum
from tests.agent_metrics.fake_processes import (
    FakeProcess,
    Samples,
    compact_all,
    copy_files,
    memory_folder,
    merged,
    samples,
)

HOSTILE = ["", '"', "\\", "\n", "}", ',le="1"', "😀", "é" * 300, "\x00", " ", "a_b", '{"pid": "1"}']
KINDS = sorted(KEPT_KINDS | LIVE_KINDS)
BOUNDS = ["0.1", "1.0", "2.5", "+Inf"]

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=5))
amounts = st.one_of(
    st.integers(0, 2**40).map(float),
    st.floats(0, 1e12),
    st.sampled_from([0.1, 0.2, 0.3, 1e-9]),
)
gauge_values = st.one_of(amounts, st.floats(-1e9, 1e9), st.sampled_from([math.inf, -0.0]))


@dataclass
class File:
    """The content of one file of a process: keys with values and timestamps."""

    kind: str
    entries: dict[str, tuple[float, float]] = field(default_factory=dict)


@st.composite
def files(draw: st.DrawFn) -> File:
    """Draw metrics with the same few names in all processes, so that they are merged."""
    kind = draw(st.sampled_from(KINDS))
    file = File(kind)
    for number in draw(st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True)):
        name = f"{kind}_{number}"
        for label in draw(st.lists(texts, min_size=1, max_size=3, unique=True)):
            labels = {"label": label, "other": draw(st.sampled_from(HOSTILE[:4]))} if number else {}
            for sample, more in _samples(kind, name):
                key = mmap_key(name, sample, [*labels, *more], [*labels.values(), *more.values()], f"help\n{number}")
                timestamp = draw(st.integers(1, 10**9)) if kind.endswith("mostrecent") else 0
                file.entries[key] = draw(gauge_values if kind.startswith("gauge") else amounts), timestamp
    return file


def _samples(kind: str, name: str) -> list[tuple[str, dict[str, str]]]:
    if kind == "histogram":
        return [(f"{name}_sum", {}), *((f"{name}_bucket", {"le": bound}) for bound in BOUNDS)]
    if kind == "summary":
        return [(f"{name}_count", {}), (f"{name}_sum", {})]
    return [(f"{name}_total" if kind == "counter" else name, {})]


processes = st.lists(st.lists(files(), max_size=6), min_size=1, max_size=5)
_checks = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
few_examples = settings(max_examples=25, **_checks)  # type: ignore[arg-type]
many_examples = settings(max_examples=500, **_checks)  # type: ignore[arg-type]


def write(path: Path, file: File, used_timestamps: set[float]) -> None:
    """Write a file. No timestamp is used twice: prometheus_client then goes by the order of files."""
    target = MmapedDict(str(path))
    for key, (value, timestamp) in file.entries.items():
        while timestamp and timestamp in used_timestamps:
            timestamp += 1
        used_timestamps.add(timestamp)
        target.write_value(key, value, timestamp)
    target.close()


def assert_same(found: Samples, expected: Samples) -> None:
    """Assert equality but for the last bits: prometheus_client rounds after each addition, and our sum once."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == value or math.isclose(found[name], value, rel_tol=1e-9, abs_tol=1e-6), name


def check_unmanaged_processes(written: list[list[File]]) -> None:
    used_timestamps: set[float] = set()
    with memory_folder() as root:
        for pid, process in enumerate(written):
            for file in process:
                write(root / f"{file.kind}_{pid}.db", file, used_timestamps)
        assert_same(samples(FolderCollector(root).collect()), merged(sorted(root.glob("*.db"))))


def check_managed_processes(written: list[list[File]], data: st.DataObject) -> None:
    used_timestamps: set[float] = set()
    with memory_folder() as root, memory_folder() as reference:
        collector = FolderCollector(root)
        started = []
        for number, files_of_process in enumerate(written):
            process = FakeProcess.start(root / f"worker-{number % 2}")
            started.append(process)
            for file in files_of_process:
                write(process.path(file.kind), file, used_timestamps)
            copy_files(process, reference)
        assert_same(samples(collector.collect()), merged(reference.iterdir()))

        dying = data.draw(st.sets(st.integers(0, len(started) - 1)))
        for process in (started[number] for number in dying):
            process.die()
            for path in reference.glob(f"*_{process.folder.id}.db"):
                if path.name.rpartition("_")[0] in LIVE_KINDS:
                    path.unlink()
        expected = merged(reference.iterdir())
        before = samples(collector.collect())
        assert_same(before, expected)
        while collector.compact(0):  # one process at a time
            assert samples(collector.collect()) == before  # to the last bit
        collector.close()

        again = FolderCollector(root)
        compact_all(again)
        assert samples(again.collect()) == before
        again.close()
        for number, process in enumerate(started):
            if number not in dying:
                process.die()


test_unmanaged_processes_are_merged_as_by_prometheus_client = few_examples(given(processes)(check_unmanaged_processes))
test_managed_processes_are_merged_as_by_prometheus_client = few_examples(
    given(processes, st.data())(check_managed_processes)
)
test_many_unmanaged_processes_are_merged_as_by_prometheus_client = pytest.mark.slow(
    many_examples(given(processes)(check_unmanaged_processes))
)
test_many_managed_processes_are_merged_as_by_prometheus_client = pytest.mark.slow(
    many_examples(given(processes, st.data())(check_managed_processes))
)


def test_infinity_stays_infinite() -> None:
    for numbers in ([0.0, math.inf], [math.inf, 1.0], [1.0, math.inf, -2.0], [1e308, 1e308]):
        assert exact_partials(numbers) == [math.inf]


@given(st.lists(st.floats(allow_nan=False), max_size=20), st.integers(0, 20))
def test_exact_partials_have_the_sum_of_their_numbers(numbers: list[float], split: int) -> None:
    kept = exact_partials(numbers[:split])
    whole, parts = exact_sum(numbers), exact_sum([*kept, *numbers[split:]])
    assert whole == parts or (math.isnan(whole) and math.isnan(parts)) or not math.isfinite(whole)
