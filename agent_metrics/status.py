"""The service's metrics about itself, and its log: one line for each kind of problem, not one a scrape."""

from __future__ import annotations

import logging
from collections import Counter as Tally
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agent_metrics.compat.prometheus import in_memory_values
from agent_metrics.storage.value_files import FILE_DEFECTS, FileDefect

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

_logger = logging.getLogger(__name__)


class Status:
    """Every metric of the service about itself.

    Attributes:
        registry: Serves them.
        pause_reason: Why dead processes are not compacted now, or None.
        refusal: Why nothing of the folder is used now, or None: another user made it, or may write to it.
        scrape_seconds: Duration of a scrape.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.pause_reason: str | None = None
        self.refusal: str | None = None
        self._warned_topics: set[str] = set()
        # In memory, also in a process that writes its metrics to files: the service must not read its own.
        with in_memory_values():
            self._declare()

    def _declare(self) -> None:
        registry = self.registry

        def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
            return Gauge(f"agent_metrics_{name}", documentation, labels, registry=registry)

        def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
            return Counter(f"agent_metrics_{name}", documentation, labels, registry=registry)

        def histogram(name: str, documentation: str) -> Histogram:
            return Histogram(f"agent_metrics_{name}", documentation, buckets=_BUCKETS_S, registry=registry)

        self._processes_living = gauge("processes_living", "Processes that hold their lock")
        self._processes_without_lock = gauge(
            "processes_without_lock", "Processes whose lock was removed, and whose files still change"
        )
        self._processes_waiting = gauge("processes_waiting", "Dead processes that are not in the ledger yet")
        self._files_living = gauge("files_living", "Files of living processes")
        self._files_unmanaged = gauge(
            "files_unmanaged", "Files of processes without agent_metrics.writer, read at each scrape"
        )
        self._files_defective = gauge(
            "files_flawed", "Files of living or unmanaged processes that can be read only in part", ["reason"]
        )
        self._folders_refused = gauge(
            "folders_refused", "Folders that are not used: links, or other users made them or may write to them"
        )
        self._series_left_out = gauge("series_left_out", "Series whose metric has another type or mode elsewhere")
        self._ledger_bytes = gauge("ledger_bytes", "Size of the ledger file")
        self._ledger_series = gauge("ledger_series", "Series in the ledger")
        self._is_paused = gauge("folding_paused", "1 while the ledger cannot be written")
        self._last_error_timestamp = gauge(
            "last_fold_error_timestamp_seconds", "When the ledger could last not be written; 0 for never"
        )
        self._processes_compacted = counter("processes_folded", "Dead processes moved into the ledger")
        self._files_quarantined = counter(
            "files_set_aside", "Defective files of dead processes moved into quarantine", ["reason"]
        )
        self._ledgers_quarantined = counter(
            "ledgers_set_aside", "Ledgers with the names of files outside of the folder, moved into quarantine"
        )
        self.scrape_seconds = histogram("scrape_seconds", "Duration of a scrape")
        self._compaction_seconds = histogram("fold_seconds", "Duration of a commit to the ledger")
        for defect in FILE_DEFECTS:
            self._files_defective.labels(defect)
            self._files_quarantined.labels(defect)

    def update(
        self,
        *,
        living: int,
        without_lock: int,
        waiting: int,
        living_files: int,
        unmanaged_files: int,
        refused_folders: int,
        defects: Sequence[FileDefect],
        left_out: int,
        ledger_bytes: int,
        ledger_series: int,
    ) -> None:
        """Set the gauges to what a scrape has found."""
        self._processes_living.set(living)
        self._processes_without_lock.set(without_lock)
        self._processes_waiting.set(waiting)
        self._files_living.set(living_files)
        self._files_unmanaged.set(unmanaged_files)
        self._folders_refused.set(refused_folders)
        self._series_left_out.set(left_out)
        self._ledger_bytes.set(ledger_bytes)
        self._ledger_series.set(ledger_series)
        tally = Tally(defects)
        for defect in FILE_DEFECTS:
            self._files_defective.labels(defect).set(tally[defect])
        if defects:
            self.warn_once("defects", f"{len(defects)} file(s) can be read only in part: {dict(tally)}")
        if left_out:
            self.warn_once("left out", f"{left_out} series left out: their metric has another type or mode elsewhere")

    def record_compaction(self, processes: int, seconds: float) -> None:
        """Count processes that are in the ledger now, and end a pause."""
        self._processes_compacted.inc(processes)
        self._compaction_seconds.observe(seconds)
        self.resume()

    def record_quarantined(self, defect: FileDefect, path: Path) -> None:
        """Count and log a file that was moved into quarantine."""
        self._files_quarantined.labels(defect).inc()
        _logger.warning("%s is %s: its readable part counts, and the file was moved into quarantine", path, defect)

    def record_ledger_quarantined(self, reason: str, path: Path) -> None:
        """Count and log a ledger that was moved into quarantine."""
        self._ledgers_quarantined.inc()
        _logger.warning("%s. It was moved to %s, and all totals begin at zero", reason, path)

    def pause(self, reason: str) -> None:
        """Note that the ledger cannot be written."""
        if self.pause_reason is None:
            _logger.warning("compaction is paused, totals stay right: %s", reason)
        self.pause_reason = reason
        self._is_paused.set(1)
        self._last_error_timestamp.set_to_current_time()

    def resume(self) -> None:
        """Note that the ledger can be written."""
        if self.pause_reason is not None:
            _logger.warning("compaction goes on")
        self.pause_reason = None
        self._is_paused.set(0)

    def refuse(self, reason: str) -> None:
        """Note that the folder is not trusted."""
        if self.refusal is None:
            _logger.warning("nothing is served: %s", reason)
        self.refusal = reason

    def warn_once(self, topic: str, message: str) -> None:
        """Log the first message on a topic, of a problem that may recur at each scrape."""
        if topic not in self._warned_topics:
            self._warned_topics.add(topic)
            _logger.warning("%s", message)
