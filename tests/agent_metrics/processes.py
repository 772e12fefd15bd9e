"""Processes of a metrics folder, played inside the test: folders with their locks, and values written into them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from agent_metrics.collector import FolderCollector
from agent_metrics.files import KEPT_KINDS
from agent_metrics.writer import ProcessFolder

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@contextlib.contextmanager
def fast_folder() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of fsyncs to a busy disk would take minutes."""
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
    """The value of the only sample of that name, whatever its labels."""
    found = [value for (sample, _), value in samples(collector.collect()).items() if sample == name]
    assert len(found) <= 1
    return found[0] if found else None


def fold_all(collector: FolderCollector) -> None:
    while collector.fold(10):
        pass
    collector.fold(10)  # forgets what the last one removed


def own_metric(collector: FolderCollector, name: str, labels: Mapping[str, str] | None = None) -> float | None:
    value: float | None = collector.status.registry.get_sample_value(f"agent_metrics_{name}", dict(labels or {}))
    return value


@dataclass
class PlayedProcess:
    """A process with a lock, which `die` lets go of."""

    folder: ProcessFolder

    @classmethod
    def start(cls, root: Path) -> PlayedProcess:
        return cls(ProcessFolder(root))

    def path(self, kind: str) -> Path:
        return self.folder.path / f"{kind}_{self.folder.id}.db"

    def write(
        self, kind: str, name: str, value: float, timestamp: float = 0.0, sample: str = "", **labels: str
    ) -> None:
        write(self.path(kind), name, value, timestamp, sample, **labels)

    def die(self) -> PlayedProcess:
        self.folder.release()
        return self


def write(path: Path, name: str, value: float, timestamp: float = 0.0, sample: str = "", **labels: str) -> None:
    file = MmapedDict(str(path))
    file.write_value(mmap_key(name, sample or name, list(labels), list(labels.values()), "help"), value, timestamp)
    file.close()


def merged(files: Iterable[Path]) -> Samples:
    """What prometheus_client's own collector makes of these files."""
    return samples(MultiProcessCollector.merge([str(path) for path in files], accumulate=True))


def copy_files(process: PlayedProcess, to: Path, *, dead: bool = False) -> None:
    """The files that count, to one folder, as prometheus_client has it."""
    for path in process.folder.path.glob("*.db"):
        if not dead or path.name.rpartition("_")[0] in KEPT_KINDS:
            shutil.copy(path, to)
