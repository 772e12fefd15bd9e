"""The report's page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.cut_offs import cut_offs
from benchmarks.harness.markdown import fill, milliseconds, row
from benchmarks.harness.stats import Spread, median_difference, spread

_MAX_DIFFERENCE_S = 0.06
_CALLERS = {"caller": "`python -m caller`", "browser": "the page"}


@dataclass(frozen=True)
class Row:
    """One turn; times in seconds, None for what was not heard or is unknown.

    Attributes:
        by: ``caller`` or ``browser``.
        call: Number of the call.
        said: The utterance.
        heard: Response gap as this caller heard it.
        recorded: The same as the agent recorded it.
        shown: The same as the page shows it.
    """

    by: str
    call: int
    said: str
    heard: float | None
    recorded: float | None
    shown: float | None = None

    @property
    def beyond_record(self) -> float | None:
        """How much longer the caller waited than the agent recorded: the transport delay, there and back."""
        return None if self.heard is None or self.recorded is None else self.heard - self.recorded


@dataclass(frozen=True)
class Results:
    """All that is measured."""

    machine: str
    commit: str
    turns: list[Row]


def markdown(results: Results) -> str:
    """Return the page.

    Raises:
        ValueError: If one of the two callers heard nothing.
    """
    turns = results.turns
    beyond = {by: _known(turn.beyond_record for turn in turns if turn.by == by) for by in _CALLERS}
    if silent := [by for by, values in beyond.items() if not values]:
        raise ValueError(f"no turn of {' and '.join(silent)} counts")
    heard = {by: _known(turn.heard for turn in turns if turn.by == by) for by in _CALLERS}
    difference, low, high = median_difference(beyond["browser"], beyond["caller"])
    shown = spread([turn.shown - turn.heard for turn in turns if turn.shown is not None and turn.heard is not None])
    lost = sum(turn.beyond_record is None for turn in turns)
    return fill(
        Path(__file__).parent / "template.md",
        calls=max(turn.call for turn in turns),
        machine=results.machine,
        commit=results.commit,
        cut_offs=cut_offs(),
        rows="\n".join(
            row(name, len(beyond[by]), _median(spread(heard[by])), _median(spread(beyond[by])))
            for by, name in _CALLERS.items()
        ),
        difference=f"{difference * 1000:+.0f} ms ({low * 1000:+.0f} to {high * 1000:+.0f})",
        limit=f"{_MAX_DIFFERENCE_S * 1000:.0f}",
        verdict=_verdict(difference, low, high),
        shown=f"{shown.p50 * 1000:+.0f} ms" if shown else "unknown",
        count=shown.count if shown else 0,
        lost=f"\n{lost} of {len(turns)} turns do not count: no reply was heard, or one utterance was taken for two.\n"
        if lost
        else "",
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _verdict(difference: float, low: float, high: float) -> str:
    if abs(difference) > _MAX_DIFFERENCE_S:
        return "NOT met"
    is_certain = max(-low, high) <= _MAX_DIFFERENCE_S
    return "met" if is_certain else "met by the medians; the machine was too busy for certainty"


def _median(of: Spread | None) -> str:
    return "-" if of is None else f"{milliseconds(of.p50)} ({milliseconds(of.low)} to {milliseconds(of.high)})"
