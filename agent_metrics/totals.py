"""How do the values of many processes become one? As prometheus_client's ``MultiProcessCollector`` has it, but exactly.

Sums come out the same in whatever order processes are added, so that no fold makes a counter fall by the last bit of a
float, which Prometheus would take for a restart, and count the whole counter again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from prometheus_client import Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from agent_metrics.files import LIVE_KINDS, Entry, Key, parse_key, type_of

#: By kind: list[float] to be added up; float for min and max; (timestamp, value) for mostrecent; {pid: value} for all.
Amount: TypeAlias = Any
Labels: TypeAlias = tuple[tuple[str, str], ...]


class Totals:
    """Amounts by kind and key."""

    def __init__(self) -> None:
        self.amounts: dict[str, dict[str, Amount]] = {}

    def add(self, kind: str, pid: str, entries: Iterable[Entry], now: float = math.inf) -> None:
        """Add what one process says.

        Args:
            kind: Of the file.
            pid: A label of gauges in mode ``all``.
            entries: What the file says.
            now: No timestamp counts for later than this.
        """
        amounts = self.amounts.setdefault(kind, {})
        if _rule(kind) == "sum":  # nearly all of them, so without a detour
            for key, value, _ in entries:
                if key in amounts:
                    amounts[key].append(value)
                else:
                    amounts[key] = [value]
            return
        for key, value, timestamp in entries:
            amount = _amount(kind, pid, value, min(timestamp, now))
            if amount is not None:
                amounts[key] = _join(kind, amounts[key], amount) if key in amounts else amount

    def update(self, other: Totals) -> None:
        for kind, theirs in other.amounts.items():
            ours = self.amounts.setdefault(kind, {})
            for key, amount in theirs.items():
                # A list of ours grows; theirs stays as it is.
                before = ours.get(key) if key in ours else _nothing(kind, amount)
                ours[key] = _join(kind, before, amount)

    def cap_timestamps(self, now: float) -> None:
        """Where the clock was put back, what was set before is not the most recent for ever."""
        for kind, amounts in self.amounts.items():
            if _rule(kind) == "mostrecent":
                for key, (timestamp, value) in amounts.items():
                    amounts[key] = (min(timestamp, now), value)

    def series(self) -> int:
        return sum(len(amounts) for amounts in self.amounts.values())

    def kinds(self) -> dict[str, str]:
        """The kind of each metric; the first counts where two processes disagree."""
        kinds: dict[str, str] = {}
        for kind, amounts in self.amounts.items():
            for raw in amounts:
                kinds.setdefault(_key(kind, raw).metric, kind)
        return kinds


def _rule(kind: str) -> str:
    return "sum" if not kind.startswith("gauge") else kind.removeprefix("gauge_").removeprefix("live")


def _amount(kind: str, pid: str, value: float, timestamp: float) -> Amount | None:
    rule = _rule(kind)
    if rule == "mostrecent":
        return (timestamp, value) if timestamp > 0 else None  # never set
    return {pid: value} if rule == "all" else [value] if rule == "sum" else value


def _nothing(kind: str, amount: Amount) -> Amount:
    """What leaves ``amount`` as it is when joined with it."""
    rule = _rule(kind)
    return [] if rule == "sum" else {} if rule == "all" else amount


def _join(kind: str, a: Amount, b: Amount) -> Amount:
    rule = _rule(kind)
    if rule == "sum":
        return [*a, *b]
    if rule == "all":
        return {**a, **b}
    if rule == "mostrecent":
        return max(a, b)  # of two set at the same moment, always the same one
    return (b if b < a else a) if rule == "min" else (b if b > a else a)


def exact_sum(numbers: list[float]) -> float:
    """The sum, rounded once."""
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):  # infinities of both signs
        return sum(numbers)


def condensed(numbers: list[float]) -> list[float]:
    """A few numbers with the very same sum (Shewchuk's partials: they do not overlap)."""
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
    return [exact_sum(numbers)]  # infinity less itself is among the partials, and is no number


def metrics(totals: Totals, kinds: Mapping[str, str]) -> tuple[list[Metric], int]:
    """What to serve, and how many series were left out because their metric is of another kind by now."""
    found: dict[str, dict[tuple[str, Labels], Amount]] = {}
    helps: dict[str, str] = {}
    left_out = 0
    for kind, amounts in totals.amounts.items():
        for raw, amount in amounts.items():
            key = _key(kind, raw)
            if kinds.get(key.metric, kind) != kind:
                left_out += 1
                continue
            helps.setdefault(key.metric, key.help)
            samples = found.setdefault(key.metric, {})
            name = key.sample, key.labels
            samples[name] = _join(kind, samples[name], amount) if name in samples else amount
    return [_metric(name, helps[name], kinds[name], samples) for name, samples in found.items()], left_out


def _metric(name: str, documentation: str, kind: str, amounts: Mapping[tuple[str, Labels], Amount]) -> Metric:
    metric = Metric(name, documentation, type_of(kind))
    if kind == "histogram":
        metric.samples = list(_histogram_samples(name, amounts))
    else:
        metric.samples = [
            Sample(sample, dict(labels), value)
            for (sample, plain), amount in amounts.items()
            for labels, value in _values(kind, plain, amount)
        ]
    return metric


def _values(kind: str, labels: Labels, amount: Amount) -> Iterator[tuple[Labels, float]]:
    rule = _rule(kind)
    if rule == "all":
        for pid, value in amount.items():
            yield (*labels, ("pid", pid)), value
    elif rule == "sum":
        yield labels, exact_sum(amount)
    else:
        yield labels, amount[1] if rule == "mostrecent" else amount


def _histogram_samples(name: str, amounts: Mapping[tuple[str, Labels], Amount]) -> Iterator[Sample]:
    """By label set: the sum, the buckets (which a process counts apart and Prometheus wants added up), the count."""
    groups: dict[Labels, tuple[list[Sample], dict[float, float]]] = {}
    for (sample, labels), amount in amounts.items():
        plain = tuple(label for label in labels if label[0] != "le")
        others, buckets = groups.setdefault(plain, ([], {}))
        if plain == labels:
            others.append(Sample(sample, dict(plain), exact_sum(amount)))
        else:
            bound = float(dict(labels)["le"])
            buckets[bound] = buckets.get(bound, 0.0) + exact_sum(amount)
    for plain, (others, buckets) in groups.items():
        yield from others
        count = 0.0
        for bound, value in sorted(buckets.items()):
            count += value
            yield Sample(f"{name}_bucket", {**dict(plain), "le": _bound(bound)}, count)
        if buckets:
            yield Sample(f"{name}_count", dict(plain), count)


def _bound(bound: float) -> str:
    text: str = floatToGoString(bound)  # type: ignore[no-untyped-call]
    return text


def _key(kind: str, raw: str) -> Key:
    key = parse_key(kind, raw)
    assert key is not None, "only keys that were parsed get here"
    return key


def lasting(kind: str, entries: Iterable[Entry]) -> list[Entry]:
    """What still counts of a file when its process is dead."""
    if kind in LIVE_KINDS:
        return []
    return [entry for entry in entries if not _key(kind, entry[0]).names_a_place]
