"""``python -m monitoring.slos``: write the rules of the service level objectives from ``slos.yml``.

Recorded for each objective, by job:

- errors and events per second over the last 5 minutes. Longer windows are sums of these, which weigh each event alike
  and do not depend on how many instances came and went;
- the share of errors in each window that an alert compares, and the part of the error budget that is left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field

from monitoring.prometheus_server import CONFIG
from monitoring.rule_file import to_yaml

SOURCE = Path(__file__).resolve().parent / "slos.yml"
TARGET = CONFIG.parent / "rules" / "slos.yml"
_BASE_WINDOW = "5m"
_OUTLIER_WINDOW = "1h"
_OUTLIER_WINDOW_S = 3600
#: Between two samples of the recorded rates: so many times their sum is a count.
_INTERVAL_S = 60
#: These rules read a whole period: they are evaluated less often, within the 5 minutes that Prometheus looks back.
_BUDGET_INTERVAL = "2m"
_FOR = {"critical": "2m", "warning": "15m"}

Window = Annotated[str, Field(pattern=r"^[1-9]\d*[mhd]$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BurnRate(_Strict):
    """Two windows and how much faster than allowed the budget may be spent in both."""

    severity: Literal["critical", "warning"]
    long: Window
    short: Window
    factor: float = Field(gt=0)


class Objective(_Strict):
    """One objective; ``slos.yml`` explains its fields."""

    name: str = Field(pattern=r"^[a-z_]+$")
    objective: float = Field(gt=0, lt=100)
    minimum: int = Field(ge=1)
    alert: str = Field(pattern=r"^[A-Z]\w+$")
    summary: str
    events: str
    errors: str
    instances: bool = False

    @property
    def budget(self) -> float:
        """The share of events that may be errors."""
        return round(1 - self.objective / 100, 10)


class Outliers(_Strict):
    """When an instance differs from the others."""

    share: float = Field(gt=0, lt=1)
    times: float = Field(gt=1)
    minimum: int = Field(ge=1)


class Objectives(_Strict):
    """The content of ``slos.yml``."""

    runbooks: str = Field(pattern=r"^https?://.+[^#]$")
    period_days: int = Field(ge=1)
    burn_rates: list[BurnRate] = Field(min_length=1)
    slos: list[Objective]
    outliers: Outliers


def load(source: Path = SOURCE) -> Objectives:
    """Read the objectives. Raises ``pydantic.ValidationError``, with every problem, if something is wrong in them."""
    return Objectives.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))


def render(objectives: Objectives) -> str:
    """Return the rules as YAML."""
    groups = [
        {
            "name": "agent-worker-slo-recording",
            "interval": f"{_INTERVAL_S}s",
            "rules": [*_recorded(objectives), *_by_instance(objectives)],
        },
        {
            "name": "agent-worker-slo-budgets",
            "interval": _BUDGET_INTERVAL,
            "rules": [_remaining(slo, objectives.period_days) for slo in objectives.slos],
        },
        {"name": "agent-worker-slo-alerts", "rules": [*_alerts(objectives), *_outliers(objectives)]},
    ]
    return to_yaml({"groups": groups}, "monitoring/slos.yml")


def runbook_url(base: str, alert: str) -> str:
    """Return the address of an alert's section: GitHub and GitLab make anchors of headings this way."""
    return f"{base}#{alert.lower()}"


def _recorded(objectives: Objectives) -> list[dict[str, Any]]:
    windows = sorted(
        {w for rate in objectives.burn_rates for w in (rate.long, rate.short)} - {_BASE_WINDOW}, key=_seconds
    )
    rules = []
    for slo in objectives.slos:
        for kind, query in (("events", slo.events), ("errors", slo.errors)):
            expr = _filled(query, "job", _BASE_WINDOW)
            rules.append({"record": f"job_slo:sli_{kind}:rate5m", "labels": {"slo": slo.name}, "expr": expr})
        for window in (_BASE_WINDOW, *windows):
            rules.append({"record": _ratio(window), "labels": {"slo": slo.name}, "expr": _ratio_over(slo, window)})
    return rules


def _ratio_over(slo: Objective, window: str) -> str:
    errors, events = (f'job_slo:sli_{kind}:rate5m{{slo="{slo.name}"}}' for kind in ("errors", "events"))
    if window == _BASE_WINDOW:
        return f"{errors} / ({events} > 0)"
    return f"sum_over_time({errors}[{window}])\n/ (sum_over_time({events}[{window}]) > 0)\n"


def _remaining(slo: Objective, period_days: int) -> dict[str, Any]:
    return {
        "record": "job_slo:slo_error_budget:remaining",
        "labels": {"slo": slo.name},
        "expr": f"1 - ({_ratio_over(slo, f'{period_days}d').strip()}) / {slo.budget:g}\n",
    }


def _by_instance(objectives: Objectives) -> list[dict[str, Any]]:
    """Events and errors of each instance in the last hour."""
    return [
        {
            "record": f"job_instance_slo:sli_{kind}:increase1h",
            "labels": {"slo": slo.name},
            "expr": f"({_filled(query, 'job, instance', _OUTLIER_WINDOW).strip()}) * {_OUTLIER_WINDOW_S}\n",
        }
        for slo in objectives.slos
        if slo.instances
        for kind, query in (("events", slo.events), ("errors", slo.errors))
    ]


def _alerts(objectives: Objectives) -> list[dict[str, Any]]:
    return [
        {
            "alert": slo.alert,
            "expr": "\nor\n".join(_burns(slo, rate) for rate in objectives.burn_rates if rate.severity == severity)
            + "\n",
            "for": _FOR[severity],
            "labels": {"severity": severity, "slo": slo.name},
            "annotations": {
                "summary": f"{{{{ $value | humanizePercentage }}}}: {slo.summary}",
                "description": f"Job {{{{ $labels.job }}}}. The objective is {slo.objective:g} % without. "
                f"Look at '{_look_at(severity)}' and follow the runbook.",
                "runbook_url": runbook_url(objectives.runbooks, slo.alert),
            },
        }
        for slo in objectives.slos
        for severity in dict.fromkeys(rate.severity for rate in objectives.burn_rates)
    ]


def _look_at(severity: str) -> str:
    return "Objectives, share of errors" if severity == "critical" else "Error budget left"


def _burns(slo: Objective, rate: BurnRate) -> str:
    """Both windows are over the limit, and in the long one are enough errors."""
    name = f'{{slo="{slo.name}"}}'
    limit = f"{slo.budget * rate.factor:g}"
    count = f"sum_over_time(job_slo:sli_errors:rate5m{name}[{rate.long}]) * {_INTERVAL_S}"
    return (
        f"(\n  {_ratio(rate.long)}{name} > {limit}\n"
        f"  and on (job) {_ratio(rate.short)}{name} > {limit}\n"
        f"  and on (job) {count} >= {slo.minimum}\n)"
    )


def _outliers(objectives: Objectives) -> list[dict[str, Any]]:
    own_errors, own_events = (f"job_instance_slo:sli_{kind}:increase1h" for kind in ("errors", "events"))
    all_errors, all_events = (f"sum by (job, slo) ({one})" for one in (own_errors, own_events))
    others = (
        f"({all_errors} - on (job, slo) group_right {own_errors})\n"
        f"    / ({all_events} - on (job, slo) group_right {own_events} >= {objectives.outliers.minimum})"
    )
    expr = (
        f"{own_errors} / ({own_events} >= {objectives.outliers.minimum}) > {objectives.outliers.share:g}\n"
        f"and on (job, instance, slo)\n  {own_errors} / {own_events}\n"
        f"  > {objectives.outliers.times:g} * clamp_min(\n    {others},\n    0\n  )\n"
    )
    return [
        {
            "alert": "InstanceIsOutlier",
            "expr": expr,
            "for": "5m",
            "labels": {"severity": "warning"},
            "annotations": {
                "summary": "{{ $labels.instance }} is worse than the others: {{ $value | humanizePercentage }} of its "
                "events miss the objective {{ $labels.slo }}",
                "description": "Job {{ $labels.job }}. Look at the log of this instance, its CPU and its machine.",
                "runbook_url": runbook_url(objectives.runbooks, "InstanceIsOutlier"),
            },
        }
    ]


def _ratio(window: str) -> str:
    return f"job_slo:sli_error:ratio_rate{window}"


def _filled(query: str, labels: str, window: str) -> str:
    return query.replace("$labels", labels).replace("$window", window)


def _seconds(window: str) -> int:
    return int(window[:-1]) * {"m": 60, "h": 3600, "d": 86400}[window[-1]]


if __name__ == "__main__":
    TARGET.write_text(render(load()), encoding="utf-8")
    print(TARGET)
