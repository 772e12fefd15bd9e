"""What do the parts hold at one moment?"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.reliability.world import World
from benchmarks.scaling.usage import Family


@dataclass(frozen=True)
class Sample:
    """
    Attributes:
        minute: Since the first call began.
        values: By part and measure, such as ``worker, threads``.
    """

    minute: float
    values: Mapping[str, float]


def take(world: World, minute: float) -> Sample:
    """Blocks for some milliseconds: call it in a thread."""
    (worker,) = world.workers
    family = Family(worker).processes()
    calls = [process for process in family if process.pid != worker]
    parts = {
        "worker": family[:1],
        "its calls' processes": calls,
        "agent-metrics": Family(world.children["agent-metrics"].pid).processes(),
        "LiveKit server": Family(world.children["LiveKit server"].pid).processes(),
    }
    values = {f"{part}, {name}": value for part, them in parts.items() for name, value in _of(them).items()}
    values["its calls' processes, number"] = len(calls)
    values["metrics folder, files"], values["metrics folder, KB"] = _size(world.folder / "metrics")
    values["temporary folder, files"], _ = _size(world.folder / "tmp")
    values["phrases' audio, files"], _ = _size(world.folder / "phrases")
    return Sample(minute, values)


def _of(processes: Sequence[psutil.Process]) -> dict[str, float]:
    found = {"memory, MB": 0.0, "file descriptors": 0.0, "threads": 0.0}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            found["memory, MB"] += process.memory_full_info().pss / 1e6
            found["file descriptors"] += process.num_fds()
            found["threads"] += process.num_threads()
    return found


def _size(folder: Path) -> tuple[float, float]:
    """Files, and KB in them."""
    sizes = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes) / 1000
