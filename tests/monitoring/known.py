"""The metrics that are declared, with their labels."""

from __future__ import annotations

from collections.abc import Iterable

from agent_metrics.compat.prometheus import MetricWrapperBase, label_names
from agent_worker.telemetry import metrics
from call_guard.metrics import GuardMetrics
from caller.canary.metrics import CanaryMetrics
from page_server.metrics import PageMetrics

TARGET_LABELS = {"job", "instance"}
#: What Prometheus itself records for each target.
_OF_PROMETHEUS: dict[str, set[str]] = {"up": set(), "scrape_duration_seconds": set()}
#: What LiveKit, Redis' exporter and kube-state-metrics serve, as far as alerts ask for it.
OF_OTHERS: dict[str, set[str]] = {
    "livekit_room_total": {"node_id", "node_type"},
    "redis_up": set(),
    "kube_deployment_status_replicas_available": {"namespace", "deployment"},
    "kube_horizontalpodautoscaler_status_desired_replicas": {"namespace", "horizontalpodautoscaler"},
    "kube_horizontalpodautoscaler_spec_max_replicas": {"namespace", "horizontalpodautoscaler"},
}
#: What livekit-agents itself counts, as far as dashboards ask for it.
_OF_LIVEKIT_AGENTS: dict[str, set[str]] = {
    "lk_agents_active_job_count": {"nodename"},
    "lk_agents_proc_initialize_duration_seconds_bucket": {"nodename", "le"},
}
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def declared() -> dict[str, set[str]]:
    """Return the labels of each metric in ``agent_worker.telemetry.metrics``, by its name in Prometheus."""
    return _names(vars(metrics).values())


def of_guard() -> dict[str, set[str]]:
    """Return the labels of each metric of the call guard."""
    return _names(vars(GuardMetrics()).values())


def of_canary() -> dict[str, set[str]]:
    """Return the labels of each metric of the canary."""
    return _names(vars(CanaryMetrics()).values())


def of_page() -> dict[str, set[str]]:
    """Return the labels of each metric of the page server."""
    return _names(vars(PageMetrics()).values())


def _names(values: Iterable[object]) -> dict[str, set[str]]:
    found = {}
    for metric in values:
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
    found = {
        **declared(),
        **of_guard(),
        **of_page(),
        **of_canary(),
        **_OF_PROMETHEUS,
        **_OF_LIVEKIT_AGENTS,
        **OF_OTHERS,
    }.get(metric)
    return None if found is None else found | TARGET_LABELS
