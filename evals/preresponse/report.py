"""The figures of an evaluation as text; turns are shown only on request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.harness.markdown import table
from benchmarks.harness.stats import percentile, wilson_interval
from evals.preresponse.measure import Graded, Moves
from evals.preresponse.moves import Said, said_by_agent
from evals.preresponse.rubric import Grade

_GOOD = frozenset({Grade.FITS, Grade.ACCEPTABLE})
_BAD = frozenset({Grade.WRONG, Grade.HARMFUL})
_COLUMNS = ("look-up", "one word", "nothing")
_KINDS = {"fact": "a fact at hand", "else": "a search, a booking, anything else"}


def grades(graded: Sequence[Graded], answer_after_s: float, context: str) -> str:
    """Return the grades by source, with intervals."""
    rows = []
    for source in sorted({each.turn.source for each in graded}):
        of_source = [each for each in graded if each.turn.source == source]
        counts = [sum(each.grade is one for each in of_source) for one in Grade]
        good = sum(each.grade in _GOOD for each in of_source)
        bad = sum(each.grade in _BAD for each in of_source)
        due = [each for each in of_source if each.turn.speak == "no"]
        rows.append(
            [
                source,
                len(of_source),
                *counts,
                share(good, len(of_source)),
                share(bad, len(of_source)),
                share(sum(each.text is None for each in due), len(due)),
            ]
        )
    headers = [
        "source",
        "turns",
        *(each.value for each in Grade),
        "fits or acceptable",
        "wrong or harmful",
        "silent where due",
    ]
    return (
        f"Labelled turns, the answer expected after {answer_after_s:g} s, context {context}:\n\n{table(headers, rows)}"
    )


def apologies(graded: Sequence[Graded]) -> str:
    """Return how often sympathy was spoken in labelled turns."""
    sorry = [each for each in graded if said(each) is Said.SYMPATHY]
    due = sum("S" in each.turn.fits for each in sorry)
    return f"Sympathy in labelled turns: {_per_thousand(len(sorry), len(graded))}, {due} due."


def moves(found: Moves, answer_after_s: float) -> str:
    """Return the engine's moves beside the human agents'."""
    rows = []
    for kind, name in _KINDS.items():
        for who, counts in (("human agents", found.human), ("engine", found.engine)):
            total = sum(count for (of, _), count in counts.items() if of == kind)
            shown = [counts[kind, column] for column in _COLUMNS]
            rest = total - sum(shown)
            rows.append([name, who, total, *(_percent(count, total) for count in (*shown, rest))])
    runs = ", ".join(f"{move} {length}" for move, length in sorted(found.runs.items()))
    lines = [
        f"Dialogues, the answer expected after {answer_after_s:g} s:",
        "",
        table(["caller asks for", "who", "turns", *_COLUMNS, "other"], rows),
        "",
        f"Turns that begin with the answer: {share(found.silent, found.turns)}",
        f"Longest run of one move: {runs}",
        f"Sympathy: {_per_thousand(found.apologies, found.turns)}, {found.due} where the human agent was sorry too",
        f"A decision takes, of one core: {timing(found.durations_ms)}",
    ]
    return "\n".join(lines)


def errors(graded: Iterable[Graded]) -> str:
    """Return the turns that are not right, with their texts: for work on the engine, never on the part kept aside."""
    lines = [
        f"{each.grade.value:10} {each.turn.source}:{each.turn.dialogue}"
        f" [{each.turn.speak} {''.join(sorted(each.turn.fits))}]"
        f" {each.turn.agent[-60:]!r} {each.turn.caller!r} -> {each.text!r}"
        for each in graded
        if each.grade not in _GOOD
    ]
    return "\n".join(lines)


def said(graded: Graded) -> Said:
    """Return the move of a graded turn."""
    return said_by_agent(graded.text)


def share(count: int, of: int) -> str:
    """Return a share with counts and its 95 % interval."""
    if not of:
        return "-"
    low, high = wilson_interval(count, of)
    return f"{count / of:.1%} ({count}/{of}; {low:.1%} to {high:.1%})"


def timing(durations_ms: Sequence[float]) -> str:
    """Return median, 95th percentile and maximum in milliseconds."""
    if not durations_ms:
        return "-"
    p50, p95 = percentile(durations_ms, 50), percentile(durations_ms, 95)
    return f"{p50:.2f} ms in the median, {p95:.2f} ms at the 95th percentile, {max(durations_ms):.2f} ms at most"


def _percent(count: int, of: int) -> str:
    return f"{count / of:.0%}" if of else "-"


def _per_thousand(count: int, of: int) -> str:
    return f"{count} in {of} turns ({1000 * count / of:.1f} per 1,000)" if of else "-"
