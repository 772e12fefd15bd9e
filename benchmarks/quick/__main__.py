"""``python -m benchmarks.quick``: check the published claims' order of magnitude, in 15 minutes on two cores.

Calls this project, the same without pre-responses and stock livekit-agents: with synthetic callers who do not pause
and with such who do (or with recordings of people). The published figures are read from docs/benchmarks.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import DOCS, progress
from benchmarks.harness.systems import SYSTEMS as ALL_SYSTEMS
from benchmarks.latency.people import PersonTurn
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.results import Results
from benchmarks.latency.run import RunOptions, run
from benchmarks.quick.verdict import SYSTEMS, lines, verdict_table

_PUBLISHED = DOCS / "latency.json"
_PUBLISHED_QUICK = DOCS / "quick.json"


def main() -> int:
    """Measure, and print the verdict; return 1 if a figure is not confirmed."""
    options = _parse()
    out = options.out or Path(tempfile.mkdtemp(prefix="quick-")) / "quick.json"
    began, measured = time.monotonic(), Results()
    published = results.load(_PUBLISHED, Results)
    hesitating = results.load(_PUBLISHED_QUICK, Results) if _PUBLISHED_QUICK.exists() else None
    cli.run(_measure(options, out, measured))
    with_people = options.recordings is not None
    found = list(lines(measured, published, hesitating, with_people))
    progress("")
    progress(verdict_table(found))
    progress(f"\n{(time.monotonic() - began) / 60:.0f} minutes; raw results: {out}")
    return int(any(line.verdict == "NOT confirmed" for line in found))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quick", description=__doc__)
    parser.add_argument(
        "--recordings", type=Path, metavar="FOLDER", help="recordings of people, as the callers who pause"
    )
    parser.add_argument("--turns", type=int, default=12, help="of each system and kind of caller (default: 12)")
    parser.add_argument("--parallel", type=int, default=3, help="simultaneous calls (default: 3)")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--out", type=Path, help="JSON file of the raw results (default: a new folder)")
    return parser.parse_args()


async def _measure(options: argparse.Namespace, out: Path, measured: Results) -> None:
    people: list[PersonTurn] = []
    if options.recordings is None:
        # Imported here, because with recordings it is not needed.
        from benchmarks.quick.hesitating import hesitating_turns

        progress("preparing the callers")
        people = await asyncio.to_thread(hesitating_turns, options.turns, options.seed)
    chosen = RunOptions(
        profiles=[PROFILES["cloud"], PROFILES["people"]],
        systems=[ALL_SYSTEMS[name] for name in SYSTEMS],
        turns=options.turns,
        parallel=options.parallel,
        seed=options.seed,
        out=out,
        pipecat_python=sys.executable,
        about=machine.describe("quick", _arguments()),
        recordings=options.recordings,
    )
    await run(chosen, measured, people)


def _arguments() -> list[str]:
    """Return the command line's arguments; the path of the recordings is this machine's."""
    return ["FOLDER" if before == "--recordings" else given for before, given in pairwise(sys.argv)]


if __name__ == "__main__":
    sys.exit(main())
