"""Tracks the processes of a metrics folder that are not in the ledger yet: which of them live, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path

from agent_metrics.exemplars import Exemplars
from agent_metrics.series import EXEMPLAR_KIND
from agent_metrics.status import Status
from agent_metrics.storage.folder import Listing, has_lost_lock, is_alive, scan
from agent_metrics.storage.trusted import UntrustedError
from agent_metrics.storage.value_files import FileContents, read_process

#: A process whose lock was removed counts as dead when its files have not changed for this long.
_UNLOCKED_TIMEOUT_S = 3600.0


@dataclass
class Process:
    """A process that is not in the ledger.

    Attributes:
        id: Name of its folder.
        folder: Its folder.
        is_alive: Whether it counts as living.
        files: What its files said when they were last read.
        was_read_since_death: Whether reading them was tried since it died.
        is_final: Whether all could be read since it died, so that ``files`` is complete.
        changed_at: When its files were last seen to change. None unless its lock was removed.
    """

    id: str
    folder: Path
    is_alive: bool = True
    files: list[FileContents] = field(default_factory=list)
    was_read_since_death: bool = False
    is_final: bool = False
    changed_at: float | None = None


class ProcessTable:
    """The processes of a metrics folder.

    Args:
        root: The metrics folder.
        status: Logs what cannot be read.
        clock: Returns the time in seconds since the epoch.

    Attributes:
        listing: What the folder held at the last refresh.
        exemplars: Those of all processes that were read.
    """

    def __init__(self, root: Path, status: Status, clock: Callable[[], float]) -> None:
        self.listing = Listing()
        self.exemplars = Exemplars()
        self._root = root
        self._status = status
        self._clock = clock
        self._processes: dict[str, Process] = {}

    def refresh(self, compacted: Container[str]) -> None:
        """Look for new, dead and removed processes. Where the folder cannot be listed, nothing changes.

        Args:
            compacted: Ids of processes that the ledger counts.

        Raises:
            UntrustedError: If another user made the folder, or may write to it.
        """
        try:
            self.listing = scan(self._root)
        except UntrustedError:
            raise
        except OSError as error:
            self._status.warn_once("scan", f"{self._root} cannot be listed: {error}")
            return
        for folder, problem in self.listing.refused.items():
            self._status.warn_once(f"refused {folder}", f"{folder} is not used: it {problem}")
        for id, folder in self.listing.processes.items():
            self._processes.setdefault(id, Process(id, folder))
        for process in list(self._processes.values()):
            if self._is_removed(process) or process.id in compacted:
                self.forget(process)
            elif process.is_alive:
                process.is_alive = is_alive(process.folder) or self._lives_without_lock(process)

    def _is_removed(self, process: Process) -> bool:
        return process.id not in self.listing.processes and process.folder.parent not in self.listing.unreadable

    def _lives_without_lock(self, process: Process) -> bool:
        """Return whether the lock was removed, not by the service, and the files have changed within the last hour."""
        if not has_lost_lock(process.folder):
            return False
        self._status.warn_once(
            "lock", f"the lock of {process.folder} was removed; it counts as living while its files change"
        )
        before = repr(process.files)  # compares NaN as equal to itself
        self.read(process)
        now = self._clock()
        if process.changed_at is None or repr(process.files) != before:
            process.changed_at = now
        return now - process.changed_at < _UNLOCKED_TIMEOUT_S

    def living(self) -> list[Process]:
        """Return the processes that lived at the last refresh."""
        return [process for process in self._processes.values() if process.is_alive]

    def dead(self) -> list[Process]:
        """Return the dead processes that are not in the ledger."""
        return [process for process in self._processes.values() if not process.is_alive]

    def read(self, process: Process) -> None:
        """Read the files of a process. A file that cannot be read now keeps what it said before."""
        process.was_read_since_death = not process.is_alive
        try:
            files = read_process(process.folder)
        except OSError as error:
            self._status.warn_once("read", f"{process.folder} cannot be read: {error}")
            return
        before = {file.path: file for file in process.files if file.defect is None}
        process.files = [before.get(file.path, file) if file.defect == "unreadable" else file for file in files]
        process.is_final = not process.is_alive and all(file.defect != "unreadable" for file in files)
        for file in process.files:
            if file.kind == EXEMPLAR_KIND:
                self.exemplars.add(file.entries, self._clock())

    def forget(self, process: Process) -> None:
        """Stop tracking a process."""
        del self._processes[process.id]
