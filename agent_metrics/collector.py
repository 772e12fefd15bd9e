"""``FolderCollector``: the metrics of all processes in a folder, living and dead, for prometheus_client.

A process counts exactly once at any moment: by its files while it lives; by what was last read of them from its death
until its compaction; in the ledger after that. One thread does all of it, so nothing changes in between.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.registry import Collector

from agent_metrics.compactor import Compactor
from agent_metrics.processes import ProcessTable
from agent_metrics.status import Status
from agent_metrics.storage.folder import LEDGER_NAME, SERVICE_FOLDER
from agent_metrics.storage.ledger import Connect, Ledger
from agent_metrics.storage.value_files import FileContents, read_file
from agent_metrics.totals import Totals, kept_entries, to_metrics


class FolderCollector(Collector):
    """Collects a metrics folder, and compacts its dead processes. Not thread-safe.

    Args:
        root: ``PROMETHEUS_MULTIPROC_DIR`` of the workers.
        clock: Returns the time in seconds since the epoch.
        connect: Opens the ledger's database.

    Attributes:
        status: Metrics of the collector about itself.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time, connect: Connect = sqlite3.connect) -> None:
        self.status = Status()
        self._clock = clock
        self._ledger = Ledger(root / SERVICE_FOLDER / LEDGER_NAME, clock, connect)
        self._processes = ProcessTable(root, self.status, clock)
        self._compactor = Compactor(root, self._processes, self._ledger, self.status, clock)

    @property
    def is_ready(self) -> bool:
        """Whether everything counts that processes left which were dead when the service started."""
        return self._compactor.is_ready

    def compact(self, slice_s: float) -> bool:
        """Compact as many dead processes as fit in a time slice.

        Returns:
            Whether there is more to do now.

        Raises:
            BadLedgerError: If the ledger file could not be read from the beginning.
        """
        return self._compactor.run(slice_s)

    def collect(self) -> Iterable[Metric]:
        """Return the merged metrics of all processes.

        Raises:
            UntrustedError: If another user made the folder, or may write to it.
        """
        self._processes.refresh(self._ledger.compacted)
        now = self._clock()
        unmanaged = [read_file(path) for path in self._processes.listing.unmanaged_files]
        totals = Totals()
        for process in self._processes.living():
            self._processes.read(process)
            _add(totals, process.files, now)
        _add(totals, unmanaged, now)
        living_kinds = totals.kinds_by_metric()  # living processes decide on the kind of a metric
        for process in self._processes.dead():
            for file in process.files:
                totals.add(file.kind, file.pid, kept_entries(file.kind, file.entries), now)
        self._ledger.totals.cap_timestamps(now)
        totals.update(self._ledger.totals)
        metrics, left_out = to_metrics(totals, {**totals.kinds_by_metric(), **living_kinds})
        self._processes.exemplars.attach(metrics)
        self._publish_status(unmanaged, left_out)
        return metrics

    def _publish_status(self, unmanaged: list[FileContents], left_out: int) -> None:
        living = self._processes.living()
        files = [file for process in living for file in process.files]
        self.status.update(
            living=len(living),
            without_lock=sum(process.changed_at is not None for process in living),
            waiting=len(self._processes.dead()),
            living_files=len(files),
            unmanaged_files=len(unmanaged),
            refused_folders=len(self._processes.listing.refused),
            defects=[file.defect for file in (*files, *unmanaged) if file.defect is not None],
            left_out=left_out,
            ledger_bytes=self._ledger.size_bytes(),
            ledger_series=self._ledger.totals.series_count(),
        )

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()


def _add(totals: Totals, files: Iterable[FileContents], now: float) -> None:
    for file in files:
        totals.add(file.kind, file.pid, file.entries, now)
