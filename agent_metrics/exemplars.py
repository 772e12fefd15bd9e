"""Exemplars: for each bucket of a histogram its newest observation that names the trace it belongs to.

A process writes them into a file of the kind ``exemplar``. They are in no ledger: Prometheus stores what it has seen,
so it is enough that an exemplar outlives its process here for as long as this service runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.samples import Exemplar, Sample

from agent_metrics.series import EXEMPLAR_KIND, Entry, parse_known_key
from agent_metrics.totals import Labels


class Exemplars:
    """The newest exemplar of each bucket, of all processes, living and dead."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, Labels], tuple[float, Exemplar]] = {}

    def add(self, entries: Iterable[Entry], now: float) -> None:
        """Add the entries of a file of exemplars.

        Args:
            entries: Its entries.
            now: Seconds since the epoch. Later exemplars, from before the clock was put back, are left out.
        """
        for raw, value, observed_at in entries:
            if not 0 < observed_at <= now:  # 0: its process is just writing it
                continue
            key = parse_known_key(EXEMPLAR_KIND, raw)
            bucket = key.sample, key.labels
            if bucket not in self._newest or self._newest[bucket][0] < observed_at:
                self._newest[bucket] = observed_at, Exemplar(json.loads(key.help), value, observed_at)

    def attach(self, metrics: Iterable[Metric]) -> None:
        """Give the buckets among the samples of histograms their exemplars."""
        if not self._newest:
            return
        for metric in metrics:
            if metric.type == "histogram":
                metric.samples = [self._with_exemplar(sample) for sample in metric.samples]

    def _with_exemplar(self, sample: Sample) -> Sample:
        found = self._newest.get((sample.name, tuple(sorted(sample.labels.items()))))
        return sample if found is None else sample._replace(exemplar=found[1])
