"""``python -m benchmarks.rulers``: hold voicebench, tau-voice and EVA against the ruler of ``caller``.

Needs the dependency group ``rulers``.
"""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.systems import SYSTEMS
from benchmarks.rulers.report import CORRECTED, RESTARTED, SHIPPED, write
from benchmarks.rulers.results import Results
from benchmarks.rulers.run import RunOptions, run
from benchmarks.rulers.scenarios import INTERRUPT, RESPOND

_SYSTEMS = ("agent-worker/phrase", "agent-worker/off", "stock", "pipecat")
_PARTS = {
    "cause": [(variant, RESPOND) for variant in (SHIPPED, RESTARTED, CORRECTED)],
    "respond": [(CORRECTED, RESPOND)],
    "interrupt": [(CORRECTED, INTERRUPT)],
}


def main() -> None:
    """Measure as the command line asks."""
    options = _parse()
    files = ReportFiles.at(options.out, "rulers")
    measured = results.load(files.json, Results) if files.json.exists() else Results()
    if not options.report_only:
        packages = ("voicebench", "livekit-agents", "livekit")
        about = machine.describe("rulers", sys.argv[1:], packages)
        if not options.add:
            measured = Results()
        measured.about = {**about, "command": f"{measured.about.get('command', '')}\n{about['command']}".strip()}
        cli.run(
            run(
                RunOptions(
                    systems=[SYSTEMS[name] for name in options.systems],
                    kinds=_PARTS[options.part],
                    rounds=options.rounds,
                    seed=options.seed,
                    out=files.json,
                    pipecat_python=options.pipecat_python,
                ),
                measured,
            )
        )
    write(measured, files)


def _parse() -> argparse.Namespace:
    parser = cli.parser("rulers", __doc__, seed=1)
    parser.add_argument("--part", choices=_PARTS, default="respond", help="what to measure (default: %(default)s)")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=_SYSTEMS, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=2, help="sessions of each system and scenario (default: 2)")
    parser.add_argument("--add", action="store_true", help="keep the sessions that are in the results")
    parser.add_argument(
        "--pipecat-python",
        default=os.environ.get("PIPECAT_PYTHON") or sys.executable,
        help="interpreter that has pipecat-ai (default: PIPECAT_PYTHON, or this one)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
