"""Compaction: moves what dead processes left into the ledger, and removes their files."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from agent_metrics.processes import Process, ProcessTable
from agent_metrics.status import Status
from agent_metrics.storage.folder import (
    LOCK_NAME,
    QUARANTINE_FOLDER,
    REMOVING_PREFIX,
    SERVICE_FOLDER,
    SERVICE_LOCK_NAME,
)
from agent_metrics.storage.ledger import BadLedgerError, DeadProcess, Ledger
from agent_metrics.storage.quarantine import Quarantine

#: A process that is still pending after this long was killed while it was starting.
_PENDING_TIMEOUT_S = 60.0
#: How often files in use are touched. Cleaners of /tmp remove files that are days old.
_TOUCH_INTERVAL_S = 3600.0


class Compactor:
    """Compacts the dead processes of a metrics folder, in time slices. Not thread-safe.

    Args:
        root: The metrics folder.
        processes: Its processes.
        ledger: Where dead processes go.
        status: Counts and logs.
        clock: Returns the time in seconds since the epoch.

    Attributes:
        is_ready: Whether everything counts that was written by processes which were dead when the service started.
            Before that a scrape would show less than the last one of the previous service, like a counter reset.
    """

    def __init__(
        self, root: Path, processes: ProcessTable, ledger: Ledger, status: Status, clock: Callable[[], float]
    ) -> None:
        self.is_ready = False
        self._root = root
        self._processes = processes
        self._ledger = ledger
        self._quarantine = Quarantine(root / SERVICE_FOLDER / QUARANTINE_FOLDER, status)
        self._status = status
        self._clock = clock
        self._removed_ids: set[str] = set()
        self._touched_at = -math.inf

    def run(self, slice_s: float) -> bool:
        """Compact as many dead processes as fit in a time slice.

        Returns:
            Whether there is more to do now.

        Raises:
            BadLedgerError: If the ledger file could not be read from the beginning.
        """
        deadline = time.monotonic() + slice_s
        is_writable = self._open_ledger()
        if not self._ledger.is_loaded:
            return False
        if is_writable and self._remove_compacted(deadline):
            return True
        self._processes.refresh(self._ledger.compacted)
        if is_writable:
            self._touch_files_in_use()
        batch = self._read_dead(deadline)
        is_committed = is_writable and self._commit(batch)
        self.is_ready = self.is_ready or all(process.was_read_since_death for process in self._processes.dead())
        if not is_committed:
            return not self.is_ready
        for process in batch:
            self._processes.forget(process)
        self._remove_leftovers()
        return bool(batch) or not self.is_ready

    def _open_ledger(self) -> bool:
        """Open the ledger. Returns whether it can be written; one that can only be read still counts."""
        try:
            self._ledger.open()
            return True
        except (sqlite3.Error, OSError, BadLedgerError) as error:
            if isinstance(error, BadLedgerError) and not self._ledger.is_loaded:
                raise
            self._status.pause(f"the ledger cannot be written: {error}")
        if not self._ledger.is_loaded:
            try:
                self._ledger.load_read_only()
            except (sqlite3.Error, OSError) as error:
                self._status.warn_once("ledger", f"the ledger cannot be read either: {error}")
        return False

    def _read_dead(self, deadline: float) -> list[Process]:
        """Read dead processes until the deadline, at least one. Returns those that were read completely."""
        batch = []
        for process in self._processes.dead():
            # Until the service is ready, each is tried once: one that cannot be read must not hold up the others.
            if not process.is_final and not (process.was_read_since_death and not self.is_ready):
                self._processes.read(process)
            if process.is_final:
                batch.append(process)
            if time.monotonic() > deadline:
                break
        return batch

    def _commit(self, batch: list[Process]) -> bool:
        """Write a batch into the ledger. Returns whether that worked."""
        if not batch and not self._removed_ids:
            self._status.resume()
            return True
        started = time.monotonic()
        try:
            self._ledger.compact([self._to_dead(process) for process in batch], self._removed_ids)
        except (sqlite3.Error, OSError) as error:
            self._status.pause(f"the ledger cannot be written: {error}")
            return False
        self._removed_ids = set()
        self._status.record_compaction(len(batch), time.monotonic() - started)
        return True

    def _to_dead(self, process: Process) -> DeadProcess:
        defective_names = [file.path.name for file in process.files if file.defect is not None]
        return DeadProcess(process.id, str(process.folder.relative_to(self._root)), defective_names, process.files)

    def _remove_compacted(self, deadline: float) -> bool:
        """Remove the files of compacted processes. Returns whether the deadline has passed."""
        for id, process in self._ledger.compacted.items():
            if id in self._removed_ids:
                continue
            folder = self._root / process.folder
            try:
                if _exists(folder):
                    self._quarantine.move_in(folder, process.defective_names)
                    _remove(folder)
            except OSError as error:
                self._status.warn_once("remove", f"{folder} is in the ledger and cannot be removed: {error}")
                continue
            self._removed_ids.add(id)
            if time.monotonic() > deadline:
                return True
        return False

    def _remove_leftovers(self) -> None:
        """Remove folders of processes that were killed while they were starting, and empty folders of workers."""
        for path in self._processes.listing.removing:
            with contextlib.suppress(OSError):
                shutil.rmtree(path)
        for path in self._processes.listing.pending:
            with contextlib.suppress(OSError):
                if self._clock() - path.stat().st_mtime > _PENDING_TIMEOUT_S:
                    # Renamed before its content goes: a process that is still starting finds nothing, and starts over.
                    path.rename(path.with_name(f"{REMOVING_PREFIX}{path.name}"))
        for path in self._processes.listing.worker_folders:
            with contextlib.suppress(OSError):
                path.rmdir()  # fails unless it is empty; a worker that is just starting makes it again

    def _touch_files_in_use(self) -> None:
        """Keep files in use from looking old: writing to a mapped file does not always change its times."""
        if 0 <= self._clock() - self._touched_at < _TOUCH_INTERVAL_S:
            return
        self._touched_at = self._clock()
        paths = [self._ledger.path, self._ledger.path.with_name(SERVICE_LOCK_NAME)]
        for process in self._processes.living():
            with contextlib.suppress(OSError):
                paths += process.folder.iterdir()
        for path in paths:
            try:
                os.utime(path, follow_symlinks=False)
            except OSError as error:
                self._status.warn_once("touch", f"programs that remove old files may remove {path}, or have: {error}")


def _exists(folder: Path) -> bool:
    """Return whether the folder exists. Unlike ``Path.exists``, raise if that cannot be known.

    A process that is forgotten while its files still exist counts twice.
    """
    try:
        folder.lstat()
    except FileNotFoundError:
        return False
    return True


def _remove(folder: Path) -> None:
    """Remove a process folder, the lock last: without it the process would look like one that has lost its lock."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == LOCK_NAME):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    folder.rmdir()
