"""CPU, memory and handles of the processes under test."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psutil


@dataclass
class ProcessTree:
    """A process and its descendants.

    Attributes:
        pid: The process.
        with_descendants: Whether the descendants count too.
    """

    pid: int
    with_descendants: bool = True
    _cpu_seconds: dict[tuple[int, float], float] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        """Return the CPU time of all processes seen so far; what one used after its last reading is lost."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                self._cpu_seconds[process.pid, process.create_time()] = times.user + times.system
        return sum(self._cpu_seconds.values())

    def processes(self) -> list[psutil.Process]:
        """Return the processes that are alive, the first one first."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.pid)
            return [parent, *(parent.children(recursive=True) if self.with_descendants else ())]
        return []


def holdings(processes: Sequence[psutil.Process]) -> dict[str, float]:
    """Return the memory (PSS: shared pages count once), file descriptors and threads that processes hold together."""
    found = {"memory, MB": 0.0, "file descriptors": 0.0, "threads": 0.0}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            found["memory, MB"] += process.memory_full_info().pss / 1e6
            found["file descriptors"] += process.num_fds()
            found["threads"] += process.num_threads()
    return found


class CpuMeter:
    """Cores that process trees, and the whole machine, keep busy from its creation on."""

    def __init__(self, trees: Mapping[str, ProcessTree]) -> None:
        """Start to measure."""
        self._trees = trees
        self._started = time.monotonic()
        self._before = {name: tree.cpu_seconds() for name, tree in trees.items()}
        psutil.cpu_percent()  # the next call covers the time from here

    def cores(self) -> Iterator[tuple[str, float]]:
        """Yield the cores of ``machine`` and of each tree."""
        seconds = time.monotonic() - self._started
        yield "machine", psutil.cpu_percent() / 100 * (os.cpu_count() or 1)
        for name, tree in self._trees.items():
            yield name, (tree.cpu_seconds() - self._before[name]) / seconds
