"""Common parts of the queries. ``$job`` and ``$window`` are variables of both dashboards, ``$__range`` is Grafana's.

Every point describes the ``$window`` before it: phone traffic is thin, and a quantile of the single turn in the last
minute has no meaning. Series of several instances of agent-metrics are added up.
"""

from __future__ import annotations

WINDOW = "$window"
RANGE = "$__range"
RATE_INTERVAL = "$__rate_interval"


def selector(metric: str, matchers: str = "") -> str:
    """Select a metric of the chosen job; ``matchers`` as in PromQL, such as ``type="prompt"``."""
    return f'{metric}{{job=~"$job"{", " if matchers else ""}{matchers}}}'


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
