"""Merging the values of many processes, with the results of prometheus_client's ``MultiProcessCollector``, but exact.

Sums do not depend on the order in which processes are added. Otherwise a compaction could lower a counter by the last
bit of a float; Prometheus takes a falling counter for a restart and counts all of it again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from prometheus_client import Metric
from prometheus_client.samples import Sample

from agent_metrics.compat.prometheus import format_float
from agent_metrics.series import EXEMPLAR_KIND, LIVE_KINDS, Entry, merge_mode, metric_type, parse_known_key

#: What is known of a series, by merge mode: ``sum``: list[float], to be summed; ``min``, ``max``: float;
#: ``mostrecent``: (timestamp, value); ``all``: {pid: value}.
Amount: TypeAlias = Any
Labels: TypeAlias = tuple[tuple[str, str], ...]


class Totals:
    """Merged values.

    Attributes:
        amounts: By kind, then by raw key.
    """

    def __init__(self) -> None:
        self.amounts: dict[str, dict[str, Amount]] = {}

    def add(self, kind: str, pid: str, entries: Iterable[Entry], now: float = math.inf) -> None:
        """Add the entries of one file; exemplars are no values.

        Args:
            kind: Kind of the file.
            pid: The value of the label ``pid`` of gauges in mode ``all``.
            entries: Entries of the file.
            now: Later timestamps count as this one, in seconds since the epoch.
        """
        if kind == EXEMPLAR_KIND:
            return
        amounts = self.amounts.setdefault(kind, {})
        if merge_mode(kind) == "sum":  # nearly all series, so without the calls below
            for key, value, _ in entries:
                if key in amounts:
                    amounts[key].append(value)
                else:
                    amounts[key] = [value]
            return
        for key, value, timestamp in entries:
            amount = _to_amount(kind, pid, value, min(timestamp, now))
            if amount is not None:
                amounts[key] = _merge(kind, amounts[key], amount) if key in amounts else amount

    def update(self, other: Totals) -> None:
        """Merge other totals into these. The other ones stay unchanged."""
        for kind, theirs in other.amounts.items():
            ours = self.amounts.setdefault(kind, {})
            for key, amount in theirs.items():
                before = ours.get(key) if key in ours else _neutral(kind, amount)
                ours[key] = _merge(kind, before, amount)

    def cap_timestamps(self, now: float) -> None:
        """Lower timestamps later than ``now`` to ``now``.

        After the clock was put back, a value from before would stay the most recent one until the clock caught up.
        """
        for kind, amounts in self.amounts.items():
            if merge_mode(kind) == "mostrecent":
                for key, (timestamp, value) in amounts.items():
                    amounts[key] = (min(timestamp, now), value)

    def series_count(self) -> int:
        """Return the number of series."""
        return sum(len(amounts) for amounts in self.amounts.values())

    def kinds_by_metric(self) -> dict[str, str]:
        """Return the kind of each metric; the first one where two processes disagree."""
        kinds: dict[str, str] = {}
        for kind, amounts in self.amounts.items():
            for raw in amounts:
                kinds.setdefault(parse_known_key(kind, raw).metric, kind)
        return kinds


def _to_amount(kind: str, pid: str, value: float, timestamp: float) -> Amount | None:
    mode = merge_mode(kind)
    if mode == "mostrecent":
        return (timestamp, value) if timestamp > 0 else None  # 0: never set
    return {pid: value} if mode == "all" else [value] if mode == "sum" else value


def _neutral(kind: str, amount: Amount) -> Amount:
    """Return what leaves ``amount`` unchanged when merged with it, but is not the same object."""
    mode = merge_mode(kind)
    return [] if mode == "sum" else {} if mode == "all" else amount


def _merge(kind: str, a: Amount, b: Amount) -> Amount:
    mode = merge_mode(kind)
    if mode == "sum":
        return [*a, *b]
    if mode == "all":
        return {**a, **b}
    if mode == "mostrecent":
        return max(a, b)  # compares the value too: the result does not depend on the order
    return (b if b < a else a) if mode == "min" else (b if b > a else a)


def exact_sum(numbers: list[float]) -> float:
    """Return the sum, rounded once."""
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):  # infinities of both signs
        return sum(numbers)


def exact_partials(numbers: list[float]) -> list[float]:
    """Return a few numbers with exactly the same sum: Shewchuk's non-overlapping partials.

    Source: J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997; as in CPython's ``math.fsum``.
    """
    partials: list[float] = []
    for number in numbers:
        kept = 0
        for partial in partials:
            large, small = (number, partial) if abs(number) >= abs(partial) else (partial, number)
            number = large + small
            if rest := small - (number - large):
                partials[kept] = rest
                kept += 1
        partials[kept:] = [number]
    if all(map(math.isfinite, partials)):
        return partials
    return [exact_sum(numbers)]  # the partials of an infinite sum hold inf - inf, which is NaN


def to_metrics(totals: Totals, kinds: Mapping[str, str]) -> tuple[list[Metric], int]:
    """Return the metrics to serve, and the number of series left out because their metric is of another kind.

    Args:
        totals: What to serve.
        kinds: The kind of each metric.
    """
    amounts_by_metric: dict[str, dict[tuple[str, Labels], Amount]] = {}
    helps: dict[str, str] = {}
    left_out = 0
    for kind, amounts in totals.amounts.items():
        for raw, amount in amounts.items():
            key = parse_known_key(kind, raw)
            if kinds.get(key.metric, kind) != kind:
                left_out += 1
                continue
            helps.setdefault(key.metric, key.help)
            merged = amounts_by_metric.setdefault(key.metric, {})
            name = key.sample, key.labels  # two keys with different help texts are one series
            merged[name] = _merge(kind, merged[name], amount) if name in merged else amount
    metrics = [_to_metric(name, helps[name], kinds[name], merged) for name, merged in amounts_by_metric.items()]
    return metrics, left_out


def _to_metric(name: str, documentation: str, kind: str, amounts: Mapping[tuple[str, Labels], Amount]) -> Metric:
    metric = Metric(name, documentation, metric_type(kind))
    if kind == "histogram":
        metric.samples = list(_histogram_samples(name, amounts))
    else:
        metric.samples = [
            Sample(sample, dict(labels), value)
            for (sample, key_labels), amount in amounts.items()
            for labels, value in _labelled_values(kind, key_labels, amount)
        ]
    return metric


def _labelled_values(kind: str, labels: Labels, amount: Amount) -> Iterator[tuple[Labels, float]]:
    mode = merge_mode(kind)
    if mode == "all":
        for pid, value in amount.items():
            yield (*labels, ("pid", pid)), value
    elif mode == "sum":
        yield labels, exact_sum(amount)
    else:
        yield labels, amount[1] if mode == "mostrecent" else amount


def _histogram_samples(name: str, amounts: Mapping[tuple[str, Labels], Amount]) -> Iterator[Sample]:
    """Yield for each label set the sum, the buckets and the count.

    Processes count each bucket apart; Prometheus expects cumulative buckets.
    """
    groups: dict[Labels, tuple[list[Sample], dict[float, float]]] = {}
    for (sample, labels), amount in amounts.items():
        group_labels = tuple(label for label in labels if label[0] != "le")
        others, buckets = groups.setdefault(group_labels, ([], {}))
        if group_labels == labels:
            others.append(Sample(sample, dict(labels), exact_sum(amount)))
        else:
            bound = float(dict(labels)["le"])
            buckets[bound] = buckets.get(bound, 0.0) + exact_sum(amount)
    for group_labels, (others, buckets) in groups.items():
        yield from others
        count = 0.0
        for bound, value in sorted(buckets.items()):
            count += value
            yield Sample(f"{name}_bucket", {**dict(group_labels), "le": format_float(bound)}, count)
        if buckets:
            yield Sample(f"{name}_count", dict(group_labels), count)


def kept_entries(kind: str, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries of a file that still count when its process is dead."""
    if kind in LIVE_KINDS:
        return []
    return [entry for entry in entries if not parse_known_key(kind, entry[0]).has_host_label]
