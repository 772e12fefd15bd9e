"""``docs/metrics-reference.md``: every metric that is declared, as tables."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.metrics import MetricWrapperBase

from agent_metrics.status import Status
from agent_worker.telemetry import metrics

_HEAD = """\
# Metrics reference

Every metric by name, as `/metrics` serves it. What each measures, from event to event, is defined in
[metrics.md](metrics.md); what becomes of it when its process ends, in
[agent-metrics.md](agent-metrics.md#what-is-kept-of-a-process-that-has-ended). A histogram `x` is served as `x_bucket`,
`x_sum` and `x_count`.

This page is written by `make reference` from the declarations in the code.
"""
_TABLE = "| name | type | labels | help |\n| --- | --- | --- | --- |\n"


def text() -> str:
    of_worker = (metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase))
    of_service = (metric for metric in vars(Status()).values() if isinstance(metric, MetricWrapperBase))
    return (
        f"{_HEAD}\n## Of the worker\n\nDeclared in `agent_worker/telemetry/metrics.py`.\n\n{_table(of_worker)}\n"
        f"## Of agent-metrics, about itself\n\nDeclared in `agent_metrics/status.py`.\n\n{_table(of_service)}"
    )


def _table(declared: Iterable[MetricWrapperBase]) -> str:
    return _TABLE + "".join(map(_row, sorted(declared, key=lambda metric: next(iter(metric.describe())).name)))


def _row(metric: MetricWrapperBase) -> str:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # nothing public tells them without a series
    help_text = family.documentation.replace("|", "\\|")
    return f"| `{name}` | {family.type} | {labels} | {help_text} |\n"
