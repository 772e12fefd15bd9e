"""The metrics that are declared, with their labels."""

from __future__ import annotations

from agent_metrics.compat.prometheus import MetricWrapperBase, label_names
from agent_worker.telemetry import metrics

TARGET_LABELS = {"job", "instance"}
#: What Prometheus itself records for each target.
_OF_PROMETHEUS: dict[str, set[str]] = {"up": set(), "scrape_duration_seconds": set()}
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def declared() -> dict[str, set[str]]:
    """Return the labels of each metric in ``agent_worker.telemetry.metrics``, by its name in Prometheus."""
    found = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            for suffix in _SUFFIXES[family.type]:
                labels = set(label_names(metric))
                found[family.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    return found


def labels_of(metric: str) -> set[str] | None:
    """Return the labels of a metric or recording rule, None if unknown. A rule has them in its name: ``job_role:…``."""
    if ":" in metric:
        return set(metric.split(":")[0].split("_"))
    found = {**declared(), **_OF_PROMETHEUS}.get(metric)
    return None if found is None else found | TARGET_LABELS
