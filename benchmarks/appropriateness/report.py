"""The scores as a page and as data; neither contains a held-out turn or what was said in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.appropriateness.scoring import Score, Share, Verdict, confusion, groups_of, percentile, score
from benchmarks.harness.markdown import fill, table

_COLUMNS = {
    "decision": "speaks or keeps silent as it should",
    "kind": "the kind is a label",
    "words": "the words fit",
    "forbidden": "says what it must not",
    "right": "all of it right",
}
_DETAILS = {
    "spoke_wrongly": "spoke where silence is due",
    "silent_wrongly": "silent where something should be said",
    "feeling_missed": "trouble or grief, and no sympathy",
    "sorry_wrongly": "said sorry where nothing is wrong",
}
_GROUPS = {"language": lambda turn: str(turn.language), "first tag": lambda turn: str(turn.tag)}
_KINDS = ("question", "request", "problem", "story", "correction", "thanks", "greeting", "yes_no", "unclear", "silence")
_STRATEGY = "phrase"


@dataclass(frozen=True)
class Result:
    """All that is measured.

    Attributes:
        verdicts: By part (``tune``, ``validation``, ``heldout``).
        timings: Durations of ``classify`` in milliseconds, sorted, by part.
        command: That measured it.
    """

    verdicts: Mapping[str, Sequence[Verdict]]
    timings: Mapping[str, Sequence[float]]
    command: str


def data(result: Result) -> dict[str, Any]:
    """Return the totals."""
    return {
        "command": result.command,
        "classify_ms": {part: _timing(timings) for part, timings in result.timings.items()},
        "scores": {
            part: {
                _STRATEGY: {
                    "all": _totals(score(verdicts)),
                    **{
                        name.split()[-1]: {key: _totals(score(group)) for key, group in groups_of(verdicts, of).items()}
                        for name, of in _GROUPS.items()
                    },
                }
            }
            for part, verdicts in result.verdicts.items()
        },
    }


def _totals(total: Score) -> dict[str, dict[str, float]]:
    return {field.name: getattr(total, field.name).as_dict() for field in fields(total)}


def _timing(ordered: Sequence[float]) -> dict[str, float]:
    values = {"median": percentile(ordered, 0.5), "p95": percentile(ordered, 0.95), "max": ordered[-1]}
    return {name: round(value, 2) for name, value in values.items()}


def summary(result: Result) -> str:
    """Return the totals for the terminal."""
    lines = []
    for part, verdicts in result.verdicts.items():
        total = score(verdicts)
        lines.append(f"{part}: {len(verdicts)} turns")
        lines += [f"  {about:45} {getattr(total, name)}" for name, about in {**_COLUMNS, **_DETAILS}.items()]
        lines.append(f"  classify, ms: {_timing(result.timings[part])}")
    return "\n".join(lines)


def markdown(result: Result) -> str:
    """Return the page."""
    scores = {part: score(verdicts) for part, verdicts in result.verdicts.items()}
    groups = [
        f"## `{part}`, `{_STRATEGY}`, by {name}\n\n{_group_table(groups_of(verdicts, of))}"
        for part, verdicts in result.verdicts.items()
        for name, of in _GROUPS.items()
    ]
    if tune := result.verdicts.get("tune"):
        about = "Rows: the best label. Columns: the kind that the turn was classified as."
        groups.append(f"## Kinds, on `tune`\n\n{about}\n\n{_confusion_table(tune)}")
    return fill(
        Path(__file__).parent / "template.md",
        command=result.command,
        totals=table(
            ["part", "strategy", *_COLUMNS.values()],
            [_named(part, (str(getattr(total, name)) for name in _COLUMNS)) for part, total in scores.items()],
        ),
        details=table(
            ["part", "strategy", *_DETAILS.values(), "said"],
            [
                [*_named(part, (str(getattr(total, name)) for name in _DETAILS)), _said(result.verdicts[part])]
                for part, total in scores.items()
            ],
        ),
        timings=table(
            ["part", "median", "p95", "max"],
            [[f"`{part}`", *_timing(timings).values()] for part, timings in result.timings.items()],
        ),
        groups="\n\n".join(groups),
    )


def _named(part: str, cells: Any) -> list[str]:
    return [f"`{part}`", f"`{_STRATEGY}`", *cells]


def _said(verdicts: Sequence[Verdict]) -> str:
    spoken = sum(bool(verdict.reply.texts) for verdict in verdicts)
    return f"phrase {spoken}, silence {len(verdicts) - spoken}"


def _group_table(groups: Mapping[str, Sequence[Verdict]]) -> str:
    def brief(share: Share) -> str:
        return f"{share.count}/{share.of}" if share.of else "-"

    rows = [
        [name, len(verdicts), *(brief(getattr(score(verdicts), column)) for column in _COLUMNS)]
        for name, verdicts in groups.items()
    ]
    return table(["group", "turns", *_COLUMNS.values()], rows)


def _confusion_table(verdicts: Sequence[Verdict]) -> str:
    counts = confusion(verdicts)
    return table(["", *_KINDS], [[label, *(counts[label, kind] or "" for kind in _KINDS)] for label in _KINDS])
