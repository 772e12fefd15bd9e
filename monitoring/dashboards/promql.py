"""Common parts of the queries.

``$job``, ``$instance`` and ``$window`` are variables of all dashboards, ``$__range`` is Grafana's.

Every point describes the ``$window`` before it: phone traffic is thin, and a quantile of the single turn in the last
minute has no meaning. Series of several instances of agent-metrics are added up.
"""

from __future__ import annotations

WINDOW = "$window"
RANGE = "$__range"
RATE_INTERVAL = "$__rate_interval"


#: Metrics of targets that are no workers: ``$instance`` chooses among workers.
_OF_OTHERS = ("call_guard_", "page_")


def selector(metric: str, matchers: str = "") -> str:
    """Select a metric of the chosen jobs and, if workers serve it, of the chosen instances.

    Args:
        metric: Its name, or that of a recording rule, whose series have no instance.
        matchers: As in PromQL, such as ``type="prompt"``.
    """
    is_of_worker = ":" not in metric and not metric.startswith(_OF_OTHERS)
    chosen = ['job=~"$job"', *(['instance=~"$instance"'] if is_of_worker else []), *([matchers] if matchers else [])]
    return f"{metric}{{{', '.join(chosen)}}}"


def now(gauge: str, by: str = "") -> str:
    """Return the value of a gauge, summed over all instances."""
    return f"{_sum(by)}({selector(gauge)})"


def increase(metric: str, matchers: str = "", by: str = "", over: str = WINDOW) -> str:
    """Return the increase of a counter, summed over all instances."""
    return f"{_sum(by)}(increase({selector(metric, matchers)}[{over}]))"


def rate(metric: str, matchers: str = "", by: str = "", over: str = WINDOW) -> str:
    """Return the increase of a counter per second, summed over all instances."""
    return f"{_sum(by)}(rate({selector(metric, matchers)}[{over}]))"


def quantile(q: float, histogram: str, matchers: str = "", by: str = "", over: str = WINDOW) -> str:
    """Return a quantile of a histogram; ``by`` names labels beside ``le`` that stay separate."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({q}, {rate(f'{histogram}_bucket', matchers, labels, over)})"


def ratio(part: str, whole: str) -> str:
    """Return a quotient that has no value, and so is not drawn, while ``whole`` is zero."""
    return f"{part} / ({whole} > 0)"


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"
