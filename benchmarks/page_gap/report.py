"""What do the two say together?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.latency.stats import Spread, spread

LIMIT = 0.06
"""Seconds that the two may be apart."""


@dataclass(frozen=True)
class Row:
    """One turn. Seconds; ``None`` for what was not heard or is not known."""

    by: str
    call: int
    said: str
    heard: float | None
    """The response gap as this caller heard it."""
    recorded: float | None
    """The same as the agent recorded it."""
    shown: float | None = None
    """The same as the page shows it to the caller."""

    @property
    def beyond(self) -> float | None:
        """What the caller waited beyond the record: the way to the agent and back."""
        return None if self.heard is None or self.recorded is None else self.heard - self.recorded

    def as_dict(self) -> dict[str, Any]:
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in dataclasses.asdict(self).items()
        }


_PAGE = """# Do `python -m caller` and the page measure the same wait?

Made by `python -m benchmarks.page_gap`; do not edit. {calls} calls of each, in turn, of six utterances, to the same
worker with simulated providers (profile `cloud` of [latency.md](latency.md)). The browser is a real Chromium whose
microphone plays the same WAV files. Its gap is taken from the recording that the page saves, by the rules of
`agent_worker/audio/sound_edges.py`. {machine}, commit {commit}.

The worker's own wait differs from turn to turn, so what is compared is what the caller heard beyond the turn record:
the way through encoder, server and jitter buffer, there and back, and what the browser does to a microphone's sound.
Medians in milliseconds, with their 95 % confidence intervals:

| caller | turns | response gap | beyond the record |
| --- | ---: | ---: | ---: |
{rows}

**The browser is {difference} from `python -m caller`; at most {limit:.0f} ms either way: {verdict}.**
What the page shows as heard, while the call goes on, is {shown} from what its recording says (median of {count} turns).
{lost}"""


def report(rows: Sequence[Row], calls: int, about: dict[str, Any]) -> str:
    """Raises ValueError if one of the two heard nothing."""
    callers = {by: [row for row in rows if row.by == by] for by in ("caller", "browser")}
    beyond = {by: _spread(by, (row.beyond for row in of)) for by, of in callers.items()}
    heard = {by: _spread(by, (row.heard for row in of)) for by, of in callers.items()}
    apart, low, high = _difference(*([row.beyond for row in callers[by]] for by in ("browser", "caller")))
    shown = spread([row.shown - row.heard for row in rows if row.shown is not None and row.heard is not None])
    lost = sum(row.beyond is None for row in rows)
    return _PAGE.format(
        calls=calls,
        machine=about["machine"],
        commit=about["commit"],
        rows="\n".join(
            f"| {name} | {beyond[by].count} | {_ms(heard[by])} | {_ms(beyond[by])} |"
            for by, name in (("caller", "`python -m caller`"), ("browser", "the page"))
        ),
        difference=f"{apart * 1000:+.0f} ms ({low * 1000:+.0f} to {high * 1000:+.0f})",
        limit=LIMIT * 1000,
        verdict=_verdict(apart, low, high),
        shown=f"{shown.p50 * 1000:+.0f} ms" if shown else "unknown",
        count=shown.count if shown else 0,
        lost=f"\n{lost} of {len(rows)} turns do not count: no reply was heard, or one utterance was taken for two.\n"
        if lost
        else "",
    )


def _verdict(apart: float, low: float, high: float) -> str:
    if abs(apart) > LIMIT:
        return "NOT met"
    return "met" if max(-low, high) <= LIMIT else "met by the medians; for certainty the machine was too busy"


def _difference(one: Sequence[float | None], other: Sequence[float | None]) -> tuple[float, float, float]:
    """Of the medians, with its 95 % confidence interval (bootstrap)."""
    chance = np.random.default_rng(1)
    samples = [np.asarray([value for value in values if value is not None]) for values in (one, other)]
    medians = [np.median(chance.choice(sample, (4000, len(sample))), axis=1) for sample in samples]
    low, high = np.percentile(medians[0] - medians[1], (2.5, 97.5))
    return float(np.median(samples[0]) - np.median(samples[1])), float(low), float(high)


def _spread(by: str, values: Iterable[float | None]) -> Spread:
    found = spread([value for value in values if value is not None])
    if found is None:
        raise ValueError(f"the {by} has no turn that counts")
    return found


def _ms(of: Spread) -> str:
    return f"{of.p50 * 1000:.0f} ({of.low * 1000:.0f} to {of.high * 1000:.0f})"
