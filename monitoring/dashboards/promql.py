"""The queries' common parts. ``$job`` and ``$window`` are variables of both dashboards, ``$__range`` is Grafana's.

Every number describes the last ``$window`` before its point: phone traffic is thin, and a quantile of the one turn in
the last minute says nothing. Series of several agent-metrics are added up; nothing here knows a job or an instance.
"""

from __future__ import annotations

WINDOW = "$window"
RANGE = "$__range"
RATE_INTERVAL = "$__rate_interval"


def selector(metric: str, matchers: str = "") -> str:
    """Args: matchers: as in PromQL, such as ``type="prompt"``."""
    return f'{metric}{{job=~"$job"{", " if matchers else ""}{matchers}}}'


def increase(metric: str, matchers: str = "", by: str = "", over: str = WINDOW) -> str:
    """How much a counter has grown, over all instances."""
    return f"{_sum(by)}(increase({selector(metric, matchers)}[{over}]))"


def rate(metric: str, matchers: str = "", by: str = "", over: str = WINDOW) -> str:
    """The same, per second."""
    return f"{_sum(by)}(rate({selector(metric, matchers)}[{over}]))"


def quantile(q: float, histogram: str, matchers: str = "", by: str = "", over: str = WINDOW) -> str:
    """Args: by: labels besides ``le`` that stay apart."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({q}, {rate(f'{histogram}_bucket', matchers, labels, over)})"


def ratio(part: str, whole: str) -> str:
    """Nothing, and so not drawn, while there is no whole."""
    return f"{part} / ({whole} > 0)"


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"
