"""How is the service itself? Its own metrics, and one log line for each thing that goes wrong."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter as Count
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

from agent_metrics.files import FLAWS, Flaw

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

_logger = logging.getLogger(__name__)


class Status:
    """Every metric of the service about itself. ``registry`` serves them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.paused_because: str | None = None
        self._noted: set[str] = set()
        with _kept_in_memory():
            self._declare()

    def _declare(self) -> None:
        registry = self.registry

        def gauge(name: str, what: str, labels: Sequence[str] = ()) -> Gauge:
            return Gauge(f"agent_metrics_{name}", what, labels, registry=registry)

        self._living = gauge("processes_living", "Processes that hold their lock")
        self._lockless = gauge("processes_without_lock", "Living processes, by their files; the lock was removed")
        self._waiting = gauge("processes_waiting", "Dead processes that are not in the ledger yet")
        self._files = gauge("files_living", "Files of living processes")
        self._unmanaged = gauge("files_unmanaged", "Files of processes without a lock of ours, read at each scrape")
        self._flawed = gauge("files_flawed", "Files of living or unmanaged processes read in part", ["reason"])
        self._left_out = gauge("series_left_out", "Series whose metric is of another type or mode elsewhere")
        self._ledger_bytes = gauge("ledger_bytes", "Size of the ledger's file")
        self._ledger_series = gauge("ledger_series", "Series in the ledger")
        self._paused = gauge("folding_paused", "1 while the ledger cannot be written")
        self._last_error = gauge("last_fold_error_timestamp_seconds", "When folding last failed; 0 for never")
        self._folded = Counter("agent_metrics_processes_folded", "Dead processes folded", registry=registry)
        self._set_aside = Counter(
            "agent_metrics_files_set_aside", "Files of dead processes read in part", ["reason"], registry=registry
        )
        self.scrape_seconds = Histogram(
            "agent_metrics_scrape_seconds", "What a scrape took to make", buckets=_SECONDS, registry=registry
        )
        self.fold_seconds = Histogram(
            "agent_metrics_fold_seconds", "What a commit to the ledger took", buckets=_SECONDS, registry=registry
        )
        for flaw in FLAWS:
            self._flawed.labels(flaw)
            self._set_aside.labels(flaw)

    def see(
        self,
        *,
        living: int,
        lockless: int,
        waiting: int,
        files: int,
        unmanaged: int,
        flaws: Sequence[Flaw],
        left_out: int,
        ledger_bytes: int,
        ledger_series: int,
    ) -> None:
        self._living.set(living)
        self._lockless.set(lockless)
        self._waiting.set(waiting)
        self._files.set(files)
        self._unmanaged.set(unmanaged)
        self._left_out.set(left_out)
        self._ledger_bytes.set(ledger_bytes)
        self._ledger_series.set(ledger_series)
        counts = Count(flaws)
        for flaw in FLAWS:
            self._flawed.labels(flaw).set(counts[flaw])
        if flaws:
            self.note("flawed", f"{len(flaws)} file(s) can be read in part only: {dict(counts)}")
        if left_out:
            self.note("left out", f"{left_out} series left out: their metric is of another type or mode elsewhere")

    def fold(self, processes: int, seconds: float) -> None:
        self._folded.inc(processes)
        self.fold_seconds.observe(seconds)
        self.resume()

    def resume(self) -> None:
        if self.paused_because is not None:
            _logger.warning("folding goes on")
        self.paused_because = None
        self._paused.set(0)

    def pause(self, why: str) -> None:
        if self.paused_because is None:
            _logger.warning("folding is paused, totals stay right: %s", why)
        self.paused_because = why
        self._paused.set(1)
        self._last_error.set_to_current_time()

    def set_aside(self, flaw: Flaw, path: Path) -> None:
        self._set_aside.labels(flaw).inc()
        _logger.warning("%s is %s: what could be read counts, and the file was set aside", path, flaw)

    def note(self, what: str, message: str) -> None:
        """Log something that happens at each scrape once."""
        if what not in self._noted:
            self._noted.add(what)
            _logger.warning("%s", message)


@contextlib.contextmanager
def _kept_in_memory() -> Iterator[None]:
    """In a process of many that share their metrics, too: or our own would be among the files that we read."""
    before = values.ValueClass
    values.ValueClass = values.MutexValue
    try:
        yield
    finally:
        values.ValueClass = before
