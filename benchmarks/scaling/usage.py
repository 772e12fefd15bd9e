"""What do a part's processes use of the machine?"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import psutil


@dataclass
class Family:
    """A process with all that it has started."""

    pid: int
    _seen: dict[tuple[int, float], float] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        """Of all that were alive at one of the looks: what a process used after the last one before its end is lost."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                self._seen[process.pid, process.create_time()] = times.user + times.system
        return sum(self._seen.values())

    def memory_mb(self) -> float:
        """Shared pages are counted once (PSS)."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total / 1e6

    def processes(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        return []


class Watch:
    """How many cores each family keeps busy from here, and how many everybody together does."""

    def __init__(self, families: Mapping[str, Family]) -> None:
        self._families = families
        self._began = time.monotonic()
        self._before = {name: family.cpu_seconds() for name, family in families.items()}
        psutil.cpu_percent()  # the next one is of the time from here

    def cores(self) -> Iterator[tuple[str, float]]:
        seconds = time.monotonic() - self._began
        yield "machine", psutil.cpu_percent() / 100 * (os.cpu_count() or 1)
        for name, family in self._families.items():
            yield name, (family.cpu_seconds() - self._before[name]) / seconds
