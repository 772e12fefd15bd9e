"""``docs/metrics-reference.md``: tables of all declared metrics."""

from __future__ import annotations

from agent_metrics.compat.prometheus import MetricWrapperBase, label_names
from agent_metrics.status import Status
from agent_worker.telemetry import metrics
from call_guard.metrics import GuardMetrics
from caller.canary.metrics import CanaryMetrics
from page_server.metrics import PageMetrics

_HEAD = """\
# Metrics reference

Every metric by name, as `/metrics` serves it. [metrics.md](metrics.md) defines what each measures, from event to event;
[agent-metrics.md](agent-metrics.md#what-is-kept-of-a-process-that-has-ended) says what remains of it when its process
ends. A histogram `x` is served as `x_bucket`, `x_sum` and `x_count`.

`make reference` writes this page from the declarations in the code.
"""
_TABLE_HEAD = "| name | type | labels | help |\n| --- | --- | --- | --- |\n"


def render() -> str:
    """Return the content of the page."""
    return (
        f"{_HEAD}\n## Metrics of the worker\n\n"
        f"Declared in `agent_worker/telemetry/metrics.py`.\n\n{_table(metrics)}\n"
        f"## Metrics of agent-metrics\n\nDeclared in `agent_metrics/status.py`.\n\n{_table(Status())}\n"
        f"## Metrics of the call guard\n\nDeclared in `call_guard/metrics.py`; the guard serves them itself.\n\n"
        f"{_table(GuardMetrics())}\n"
        f"## Metrics of the page server\n\nDeclared in `page_server/metrics.py`; served on `PAGE_HEALTH_PORT`.\n\n"
        f"{_table(PageMetrics())}\n"
        "## Metrics of the canary\n\nDeclared in `caller/canary/metrics.py`; pushed to a Pushgateway as the job "
        f"`canary`.\n\n"
        f"{_table(CanaryMetrics())}"
    )


def _table(declaring: object) -> str:
    """Return the table of all metrics that a module or an object has as attributes."""
    declared = [value for value in vars(declaring).values() if isinstance(value, MetricWrapperBase)]
    return _TABLE_HEAD + "".join(map(_row, sorted(declared, key=lambda metric: next(iter(metric.describe())).name)))


def _row(metric: MetricWrapperBase) -> str:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = ", ".join(f"`{label}`" for label in label_names(metric))
    help_text = family.documentation.replace("|", "\\|")
    return f"| `{name}` | {family.type} | {labels} | {help_text} |\n"
