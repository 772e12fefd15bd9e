"""Compaction: moves what dead processes left into the ledger, and removes their files."""

from __future__ import annotations

import contextlib
import math
import os
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
    relative_path,
    split_relative_path,
)
from agent_metrics.storage.ledger import BadLedgerError, DeadProcess, ForgedLedgerError, Ledger
from agent_metrics.storage.quarantine import Quarantine
from agent_metrics.storage.trusted import check_path, is_plain_name, opened_folder, remove_tree

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
            UntrustedError: If another user made the folder, or may write to it.
            BadLedgerError: If the ledger file could not be read from the beginning.
        """
        deadline = time.monotonic() + slice_s
        check_path(self._root)
        self._status.refusal = None
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
            self._open_or_replace_ledger()
            return True
        except (sqlite3.Error, OSError, BadLedgerError) as error:
            if isinstance(error, BadLedgerError) and not self._ledger.is_loaded:
                raise
            self._status.pause(f"the ledger cannot be written: {error}")
        if not self._ledger.is_loaded:
            try:
                self._ledger.load_read_only()
            except (sqlite3.Error, OSError, ForgedLedgerError) as error:
                self._status.warn_once("ledger", f"the ledger cannot be read either: {error}")
        return False

    def _open_or_replace_ledger(self) -> None:
        try:
            self._ledger.open()
        except ForgedLedgerError as error:
            self._status.record_ledger_quarantined(str(error), self._ledger.quarantine())
            self._ledger.open()

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
        defective = (file.path.name for file in process.files if file.defect is not None)
        folder = relative_path(self._root, process.folder)
        return DeadProcess(process.id, folder, [name for name in defective if is_plain_name(name)], process.files)

    def _remove_compacted(self, deadline: float) -> bool:
        """Remove the files of compacted processes. Returns whether the deadline has passed."""
        for id, process in self._ledger.compacted.items():
            if id in self._removed_ids:
                continue
            try:
                self._remove(process)
            except OSError as error:
                folder = self._root / process.folder
                self._status.warn_once("remove", f"{folder} is in the ledger and cannot be removed: {error}")
                continue
            self._removed_ids.add(id)
            if time.monotonic() > deadline:
                return True
        return False

    def _remove(self, process: DeadProcess) -> None:
        """Remove the folder of a compacted process; move its defective files into quarantine.

        Raises:
            OSError: If it cannot be removed, or it is not known whether it exists. A process that is forgotten while
                its files still exist counts twice.
        """
        names = split_relative_path(process.id, process.folder)
        assert names is not None, "checked when the ledger was loaded"
        worker, name = names
        with contextlib.ExitStack() as stack:
            parent = stack.enter_context(opened_folder(self._root))
            try:
                if worker is not None:
                    parent = stack.enter_context(opened_folder(worker, parent))
                folder = stack.enter_context(opened_folder(name, parent))
            except FileNotFoundError:
                return
            self._quarantine.move_in(self._root / process.folder, folder, process.defective_names)
            remove_tree(name, parent, last=LOCK_NAME)  # without its lock the process would seem to have lost it

    def _remove_leftovers(self) -> None:
        """Remove folders of processes that were killed while they were starting, and empty folders of workers."""
        for path in self._processes.listing.removing:
            with contextlib.suppress(OSError), opened_folder(path.parent) as parent:
                remove_tree(path.name, parent)
        for path in self._processes.listing.pending:
            with contextlib.suppress(OSError):
                if self._clock() - path.lstat().st_mtime > _PENDING_TIMEOUT_S:
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
