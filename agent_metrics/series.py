"""Series and their kinds: keys as prometheus_client writes them, and how values of several processes are merged."""

from __future__ import annotations

import functools
import json
from typing import NamedTuple, TypeAlias

from prometheus_client import Metric

#: Kinds (file prefixes) whose values outlive their process.
KEPT_KINDS = frozenset(
    ("counter", "histogram", "summary", "gauge_sum", "gauge_min", "gauge_max", "gauge_mostrecent"),
)
#: Kinds whose values end with their process.
LIVE_KINDS = frozenset(
    ("gauge_all", "gauge_liveall", "gauge_livesum", "gauge_livemin", "gauge_livemax", "gauge_livemostrecent"),
)
#: The file prefix of exemplars. Their keys are those of their buckets, with labels as JSON in place of the help text.
EXEMPLAR_KIND = "exemplar"

#: Labels that identify a machine. Each container has another host name, so such a series ends with its process,
#: whatever its kind. Only labels that cannot mean anything else are listed.
_HOST_LABELS = frozenset(("nodename",))

_MAX_CACHED_KEYS = 2**17

#: Key, value, timestamp. A plain tuple: there are hundreds of thousands, and the garbage collector untracks tuples of
#: strings and floats, but no other containers.
Entry: TypeAlias = tuple[str, float, float]


class SeriesKey(NamedTuple):
    """A parsed key.

    Attributes:
        raw: The key as it is in the file.
        metric: Name of the metric.
        sample: Name of the sample, for example with the suffix ``_total`` or ``_bucket``.
        labels: Names and values, sorted by name.
        help: Help text of the metric.
    """

    raw: str
    metric: str
    sample: str
    labels: tuple[tuple[str, str], ...]
    help: str

    @property
    def has_host_label(self) -> bool:
        """Whether a label identifies a machine, so that the series ends with its process."""
        return any(is_host_label(name) for name, _ in self.labels)


def is_host_label(name: str) -> bool:
    """Return whether a label identifies a machine."""
    return name in _HOST_LABELS


def metric_type(kind: str) -> str:
    """Return the Prometheus type of a kind: ``gauge_livesum`` is a ``gauge``."""
    return "histogram" if kind == EXEMPLAR_KIND else kind.partition("_")[0]


def merge_mode(kind: str) -> str:
    """Return how values of several processes are merged: ``sum``, ``min``, ``max``, ``mostrecent`` or ``all``."""
    return "sum" if not kind.startswith("gauge") else kind.removeprefix("gauge_").removeprefix("live")


@functools.lru_cache(maxsize=_MAX_CACHED_KEYS)
def parse_key(kind: str, raw: str) -> SeriesKey | None:
    """Parse a key, or return None if prometheus_client could not serve a series with it."""
    try:
        metric, sample, labels, documentation = json.loads(raw)
        Metric(metric, documentation, metric_type(kind))
        if metric_type(kind) == "histogram" and "le" in labels:
            float(labels["le"])
        texts = [metric, sample, documentation, *labels.keys(), *labels.values()]
        if kind == EXEMPLAR_KIND:
            exemplar_labels = json.loads(documentation)
            texts += [*exemplar_labels.keys(), *exemplar_labels.values()]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    if not all(isinstance(text, str) for text in texts):
        return None
    return SeriesKey(raw, metric, sample, tuple(sorted(labels.items())), documentation)


def parse_known_key(kind: str, raw: str) -> SeriesKey:
    """Parse a key that was parsed before."""
    key = parse_key(kind, raw)
    assert key is not None, "only keys that were parsed get here"
    return key
