"""Histograms whose observations name the trace of the call, so that a graph leads from a slow turn to its trace."""

from __future__ import annotations

from prometheus_client import Histogram

_LABEL = "trace_id"

_of_process: dict[str, str] | None = None


class TracedHistogram(Histogram):
    """A histogram that gives each observation an OpenMetrics exemplar, in the process of a call that is traced."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Count an observation."""
        super().observe(amount, exemplar or _of_process)


def name_trace_in_exemplars(trace_id: str | None) -> None:
    """Have all observations of this process from now on name a trace: each call has a process, and one trace."""
    global _of_process
    _of_process = {_LABEL: trace_id} if trace_id else None
