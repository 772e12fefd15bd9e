"""What do all the processes in a folder say together, living and dead?

A process counts once at any moment: with what its files say while it lives, with what was last read of them from its
death until it is folded, and in the ledger after that. One thread does it all, so nothing moves in between.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.registry import Collector

from agent_metrics.files import (
    LOCK_NAME,
    OWN_FOLDER,
    SERVICE_LOCK_NAME,
    SWEPT_PREFIX,
    Listing,
    Reading,
    has_lost_lock,
    is_alive,
    read,
    read_process,
    scan,
)
from agent_metrics.ledger import BadLedgerError, Folding, Ledger
from agent_metrics.set_aside import SetAside
from agent_metrics.status import Status
from agent_metrics.totals import Totals, lasting, metrics

#: A process that has not got its name after this long was killed while it was starting.
_BIRTH_SECONDS = 60.0
#: A process whose lock was removed is dead when its files have not changed for so long.
_QUIET_SECONDS = 3600.0
#: How often files in use are touched. Cleaners of /tmp take what is days old.
_TOUCH_SECONDS = 3600.0


@dataclass
class _Process:
    """A process of which the ledger knows nothing yet.

    Attributes:
        readings: What its files said when they were last read.
        was_read: Whether anybody has tried that since it died.
        is_final: Whether all could be read since it died, so that this is all.
        changed_at: When its files were last seen to change. None while it has a lock.
    """

    id: str
    folder: Path
    is_alive: bool = True
    readings: list[Reading] = field(default_factory=list)
    was_read: bool = False
    is_final: bool = False
    changed_at: float | None = None


class FolderCollector(Collector):
    """Collects a metrics folder, and folds the dead. For one thread.

    Args:
        root: ``PROMETHEUS_MULTIPROC_DIR`` of the workers.
        clock: Tells the time of day.

    Attributes:
        status: How it goes.
        is_ready: Whether everything counts that was written by processes which were dead when this service started.
            Before that a scrape would show less than the last one of the service before, and look like a restart.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self.status = Status()
        self._root = root
        self._clock = clock
        self._processes: dict[str, _Process] = {}
        self._set_aside = SetAside(root / OWN_FOLDER / "set-aside", self.status)
        self._ledger = Ledger(root / OWN_FOLDER / "ledger.sqlite", clock)
        self._gone: set[str] = set()
        self._listing = Listing()
        self._touched_at = -math.inf
        self.is_ready = False

    # --- a scrape ---

    def collect(self) -> Iterable[Metric]:
        self._look()
        now = self._clock()
        self._ledger.totals.cap_timestamps(now)
        totals = Totals()
        unmanaged = [read(path) for path in self._listing.unmanaged]
        for process in self._living():
            self._read(process)
            _add(totals, process.readings, now)
        _add(totals, unmanaged, now)
        kinds = totals.kinds()  # what lives says of which kind a metric is
        for process in self._dead():
            for reading in process.readings:
                totals.add(reading.kind, reading.pid, lasting(reading.kind, reading.entries), now)
        totals.update(self._ledger.totals)
        found, left_out = metrics(totals, {**totals.kinds(), **kinds})
        self._tell(unmanaged, left_out)
        return found

    def _look(self) -> None:
        """See who is there and who lives. Where that cannot be seen, all is as it was."""
        try:
            self._listing = scan(self._root)
        except OSError as error:
            self.status.note("scan", f"{self._root} cannot be listed: {error}")
            return
        for id, folder in self._listing.processes.items():
            self._processes.setdefault(id, _Process(id, folder))
        for id, process in list(self._processes.items()):
            is_gone = id not in self._listing.processes and process.folder.parent not in self._listing.unreadable
            if is_gone or id in self._ledger.folded:
                del self._processes[id]
            elif process.is_alive:
                process.is_alive = is_alive(process.folder) or self._may_live(process)

    def _may_live(self, process: _Process) -> bool:
        """Whether its lock was removed, and not by us, and its files still change: who cannot be asked is not dead."""
        if not has_lost_lock(process.folder):
            return False
        self.status.note("lock", f"the lock of {process.folder} was removed; it counts as living while it writes")
        now, before = self._clock(), repr(process.readings)
        self._read(process)
        if process.changed_at is None or repr(process.readings) != before:
            process.changed_at = now
        return now - process.changed_at < _QUIET_SECONDS

    def _living(self) -> list[_Process]:
        return [process for process in self._processes.values() if process.is_alive]

    def _dead(self) -> list[_Process]:
        return [process for process in self._processes.values() if not process.is_alive]

    def _read(self, process: _Process) -> None:
        process.was_read = not process.is_alive
        try:
            readings = read_process(process.folder)
        except OSError as error:
            self.status.note("read", f"{process.folder} cannot be read: {error}")
            return
        # What could be read before and cannot now has not become nothing.
        before = {reading.path: reading for reading in process.readings if reading.flaw is None}
        process.readings = [
            before.get(reading.path, reading) if reading.flaw == "unreadable" else reading for reading in readings
        ]
        process.is_final = not process.is_alive and all(reading.flaw != "unreadable" for reading in readings)

    def _tell(self, unmanaged: list[Reading], left_out: int) -> None:
        living = self._living()
        readings = [reading for process in living for reading in process.readings]
        self.status.see(
            living=len(living),
            lockless=sum(process.changed_at is not None for process in living),
            waiting=len(self._processes) - len(living),
            files=len(readings),
            unmanaged=len(unmanaged),
            flaws=[reading.flaw for reading in (*readings, *unmanaged) if reading.flaw is not None],
            left_out=left_out,
            ledger_bytes=self._ledger.size(),
            ledger_series=self._ledger.totals.series(),
        )

    # --- folding ---

    def fold(self, seconds: float) -> bool:
        """Fold dead processes, as many as fit in that time. Returns whether there are more that can be folded now.

        Raises:
            BadLedgerError: If the ledger's file was none from the beginning.
        """
        deadline = time.monotonic() + seconds
        is_writable = self._open()
        if not self._ledger.is_loaded:
            return False
        if is_writable and self._remove_folded(deadline):
            return True
        self._look()
        if is_writable:
            self._touch()
        batch = self._read_dead(deadline)
        is_committed = is_writable and self._commit(batch)
        self.is_ready = self.is_ready or all(process.was_read for process in self._dead())
        if not is_committed:
            return not self.is_ready
        for process in batch:
            del self._processes[process.id]
        self._tidy()
        return bool(batch) or not self.is_ready

    def _open(self) -> bool:
        """Whether the ledger can be written. One that can only be read still counts."""
        try:
            self._ledger.open()
            return True
        except (sqlite3.Error, OSError, BadLedgerError) as error:
            if isinstance(error, BadLedgerError) and not self._ledger.is_loaded:
                raise
            self.status.pause(f"the ledger cannot be written: {error}")
        if not self._ledger.is_loaded:
            try:
                self._ledger.load_read_only()
            except (sqlite3.Error, OSError) as error:
                self.status.note("ledger", f"the ledger cannot be read either: {error}")
        return False

    def _read_dead(self, deadline: float) -> list[_Process]:
        batch = []
        for process in self._dead():
            if not process.is_final and not (process.was_read and not self.is_ready):
                self._read(process)
            if process.is_final:
                batch.append(process)
            if time.monotonic() > deadline:
                break
        return batch

    def _commit(self, batch: list[_Process]) -> bool:
        if not batch and not self._gone:
            self.status.resume()
            return True
        started = time.monotonic()
        try:
            self._ledger.fold([self._folding(process) for process in batch], self._gone)
        except (sqlite3.Error, OSError) as error:
            self.status.pause(f"the ledger cannot be written: {error}")
            return False
        self._gone = set()
        self.status.fold(len(batch), time.monotonic() - started)
        return True

    def _folding(self, process: _Process) -> Folding:
        flawed = [reading.path.name for reading in process.readings if reading.flaw is not None]
        return Folding(process.id, str(process.folder.relative_to(self._root)), flawed, process.readings)

    def _remove_folded(self, deadline: float) -> bool:
        """Take away the files of folded processes. Returns whether it took all the time there was."""
        for id, folding in self._ledger.folded.items():
            if id in self._gone:
                continue
            folder = self._root / folding.folder
            try:
                if _exists(folder):
                    self._set_aside.keep(folder, folding.flawed)
                    _remove(folder)
            except OSError as error:
                self.status.note("remove", f"{folder} is folded and cannot be removed: {error}")
                continue
            self._gone.add(id)
            if time.monotonic() > deadline:
                return True
        return False

    def _tidy(self) -> None:
        """Remove what processes left that never began, and workers' folders with nothing in them."""
        for path in self._listing.unborn:
            with contextlib.suppress(OSError):
                if path.name.startswith(SWEPT_PREFIX):
                    shutil.rmtree(path)
                elif time.time() - path.stat().st_mtime > _BIRTH_SECONDS:
                    # Renamed before anything in it goes: who is still starting there finds nothing, and starts anew.
                    path.rename(path.with_name(f"{SWEPT_PREFIX}{path.name}"))
        for path in self._listing.workers:
            with contextlib.suppress(OSError):
                path.rmdir()  # not if anything is in it; a worker that is just starting makes it again

    def _touch(self) -> None:
        """Keep what is in use from looking old. That somebody writes to a mapped file does not always show on it."""
        if 0 <= self._clock() - self._touched_at < _TOUCH_SECONDS:
            return
        self._touched_at = self._clock()
        paths = [self._ledger.path, self._ledger.path.with_name(SERVICE_LOCK_NAME)]
        for process in self._living():
            with contextlib.suppress(OSError):
                paths += process.folder.iterdir()
        for path in paths:
            try:
                os.utime(path, follow_symlinks=False)
            except OSError as error:
                self.status.note("touch", f"programs that remove old files may take {path}, or have: {error}")

    def close(self) -> None:
        self._ledger.close()


def _add(totals: Totals, readings: Iterable[Reading], now: float) -> None:
    for reading in readings:
        totals.add(reading.kind, reading.pid, reading.entries, now)


def _exists(folder: Path) -> bool:
    """Unlike ``Path.exists``, sure of it: a folder that is forgotten too soon counts twice."""
    try:
        folder.lstat()
    except FileNotFoundError:
        return False
    return True


def _remove(folder: Path) -> None:
    """The lock last: without it nobody could tell that the process is dead."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == LOCK_NAME):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    folder.rmdir()
