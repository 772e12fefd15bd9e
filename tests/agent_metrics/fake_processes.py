"""Fake processes of a metrics folder, inside the test: locked folders, and values written into their files."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from agent_metrics.collector import FolderCollector
from agent_metrics.compat.prometheus import MmapedDict, mmap_key
from agent_metrics.series import KEPT_KINDS
from agent_metrics.storage.folder import ProcessFolder

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@contextlib.contextmanager
def memory_folder() -> Iterator[Path]:
    """Yield a folder in memory if possible: thousands of fsyncs to a busy disk would take minutes."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as path:
        yield Path(path)


def samples(found: Iterable[Metric]) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in found
        for sample in metric.samples
    }


def total(collector: FolderCollector, name: str) -> float | None:
    """Return the value of the only sample with this name, whatever its labels."""
    found = [value for (sample, _), value in samples(collector.collect()).items() if sample == name]
    assert len(found) <= 1
    return found[0] if found else None


def compact_all(collector: FolderCollector) -> None:
    """Compact until nothing is left to do."""
    while collector.compact(10):
        pass
    collector.compact(10)  # forgets the ids of removed files


def status_metric(collector: FolderCollector, name: str, labels: Mapping[str, str] | None = None) -> float | None:
    """Return a metric of the collector about itself."""
    value: float | None = collector.status.registry.get_sample_value(f"agent_metrics_{name}", dict(labels or {}))
    return value


@dataclass
class FakeProcess:
    """A process with a lock, which `die` releases."""

    folder: ProcessFolder

    @classmethod
    def start(cls, root: Path) -> FakeProcess:
        return cls(ProcessFolder(root))

    def path(self, kind: str) -> Path:
        return self.folder.path / f"{kind}_{self.folder.id}.db"

    def write(
        self, kind: str, name: str, value: float, timestamp: float = 0.0, sample: str = "", **labels: str
    ) -> None:
        write(self.path(kind), name, value, timestamp, sample, **labels)

    def die(self) -> FakeProcess:
        self.folder.release()
        return self


def write(path: Path, name: str, value: float, timestamp: float = 0.0, sample: str = "", **labels: str) -> None:
    key = mmap_key(name, sample or name, list(labels), list(labels.values()), "help")
    write_key(path, key, value, timestamp)


def write_key(path: Path, key: str, value: float, timestamp: float) -> None:
    file = MmapedDict(str(path))
    file.write_value(key, value, timestamp)
    file.close()


def merged(files: Iterable[Path]) -> Samples:
    """Return what prometheus_client's own collector makes of these files."""
    return samples(MultiProcessCollector.merge([str(path) for path in files], accumulate=True))


def copy_files(process: FakeProcess, to: Path, *, dead: bool = False) -> None:
    """Copy the files that count into one folder, as prometheus_client expects them."""
    for path in process.folder.path.glob("*.db"):
        if not dead or path.name.rpartition("_")[0] in KEPT_KINDS:
            shutil.copy(path, to)


def dead_process(root: Path, value: float = 1, kind: str = "counter") -> FakeProcess:
    """Return a dead process with one value of the metric `m`."""
    process = FakeProcess.start(root)
    process.write(kind, "m", value)
    return process.die()


def names_left(root: Path) -> list[str]:
    """Return what lies in the metrics folder beside the service's own folder."""
    return sorted(path.name for path in root.iterdir() if path.name != "agent-metrics")
