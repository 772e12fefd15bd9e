"""Formats numbers with their units as Grafana does."""

from __future__ import annotations

import math


def format_value(value: float, unit: str) -> str:
    """Format a value, empty if it is not finite; ``unit`` is one of ``monitoring.dashboards.panels.Unit``."""
    if not math.isfinite(value):
        return ""
    if unit == "s":
        return f"{value * 1000:.0f} ms" if 0 < abs(value) < 1 else f"{_short(value)} s"
    if unit == "percentunit":
        return f"{_short(value * 100)}%"
    if unit == "currencyUSD":
        return f"${_short(value)}"
    return _short(value) + {"cpm": " c/m", "ms": " ms"}.get(unit, "")


def _short(value: float) -> str:
    """Format with three significant digits."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
