"""``python -m benchmarks.appropriateness``: score the phrases on data/tune.jsonl, validation.jsonl and heldout.jsonl.

Of the held-out turns only totals are printed and written. ``--part tune`` is for work on the rules, ``--part
validation`` for the choice between models.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from agent_worker.text.intent_classifier import classify
from benchmarks.appropriateness import report
from benchmarks.appropriateness.scoring import Verdict, check, reply
from benchmarks.appropriateness.turns import PARTS, Turn, general_forbidden, read
from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles, progress

_REPEATS = 5


def main() -> None:
    """Score as the command line asks."""
    options = _parse()
    general = general_forbidden()
    verdicts: dict[str, list[Verdict]] = {}
    timings: dict[str, list[float]] = {}
    for part in options.part:
        turns = read(part)
        timings[part] = _time(turns)
        verdicts[part] = [check(turn, reply(turn), general) for turn in turns]
    result = report.Result(verdicts, timings, machine.describe("appropriateness", sys.argv[1:])["command"])
    progress(report.summary(result))
    if options.errors:
        _print_errors(verdicts.get("tune", []))
    files = ReportFiles.at(options.out, "appropriateness")
    results.save(files.json, report.data(result), depth=6)
    files.write_page(report.markdown(result))


def _parse() -> argparse.Namespace:
    parser = cli.parser("appropriateness", __doc__, report_only=False)
    parser.add_argument("--part", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--errors", action="store_true", help="print what is wrong, on tune only")
    return parser.parse_args()


def _time(turns: Sequence[Turn]) -> list[float]:
    """Return the durations of ``classify`` in milliseconds, sorted."""
    for turn in turns:  # the first call in a language compiles its rules
        classify(turn.caller, turn.language, turn.agent)
    return sorted(_duration_ms(turn) for turn in turns for _ in range(_REPEATS))


def _duration_ms(turn: Turn) -> float:
    started = time.perf_counter()
    classify(turn.caller, turn.language, turn.agent)
    return (time.perf_counter() - started) * 1000


def _print_errors(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if not verdict.right:
            turn, said = verdict.turn, verdict.reply
            progress(f"{turn.id} {list(turn.kinds)} classified {said.intent}: {turn.agent!r} {turn.caller!r}")
            progress(f"    said {said.texts[0] if said.texts else None!r}")


if __name__ == "__main__":
    main()
