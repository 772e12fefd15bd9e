"""``python -m benchmarks.latency``: call each system in each profile, then write the report."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles, progress
from benchmarks.harness.systems import SYSTEMS
from benchmarks.latency.interruptions_summary import INTERRUPTION_SYSTEMS
from benchmarks.latency.people_summary import PEOPLE_SYSTEMS
from benchmarks.latency.profiles import PROFILES
from benchmarks.latency.report import write
from benchmarks.latency.results import Results
from benchmarks.latency.run import RunOptions, run


def main() -> None:
    """Measure as the command line asks."""
    options = _parse()
    files = ReportFiles.at(options.out, "latency")
    if options.report_only:
        write(results.load(files.json, Results), files)
        return
    systems = [SYSTEMS[name] for name in options.systems]
    if any(system.per_call for system in systems) and not _has_pipecat(options.pipecat_python):
        progress(f"pipecat is omitted: {options.pipecat_python} does not have it (see --pipecat-python)")
        systems = [system for system in systems if not system.per_call]
    measured = results.load(files.json, Results) if files.json.exists() else Results()
    if not options.resume:
        measured = measured.without(options.profiles)
    cli.run(
        run(
            RunOptions(
                profiles=[PROFILES[name] for name in options.profiles],
                systems=systems,
                turns=options.turns,
                parallel=options.parallel,
                seed=options.seed,
                out=files.json,
                pipecat_python=options.pipecat_python,
                about=_about(options.pipecat_python),
                recordings=options.recordings,
            ),
            measured,
        )
    )
    write(measured, files)


def _parse() -> argparse.Namespace:
    parser = cli.parser("latency", __doc__, seed=1)
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, metavar="NAME")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, metavar="NAME")
    parser.add_argument(
        "--recordings",
        type=Path,
        metavar="FOLDER",
        help="recordings of people, for the profiles `people` and `interruptions`; they alone are measured then by "
        "default",
    )
    parser.add_argument("--turns", type=int, default=60, help="of each system in each profile (default: 60)")
    parser.add_argument("--parallel", type=int, default=3, help="simultaneous calls (default: 3)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="make only the calls that are missing in the results; without it those of the profiles are replaced",
    )
    parser.add_argument(
        "--pipecat-python",
        default=os.environ.get("PIPECAT_PYTHON") or sys.executable,
        help="interpreter that has pipecat-ai (default: PIPECAT_PYTHON, or this one)",
    )
    options = parser.parse_args()
    with_people = options.recordings is not None
    recorded = list(dict.fromkeys([*PEOPLE_SYSTEMS, *INTERRUPTION_SYSTEMS]))
    options.systems = options.systems or (recorded if with_people else list(SYSTEMS))
    systems = [SYSTEMS[name] for name in options.systems]
    measured = [name for name, profile in PROFILES.items() if any(map(profile.measures, systems))]
    usual = [name for name in measured if PROFILES[name].by_recordings is with_people]
    options.profiles = options.profiles or usual
    if without := [name for name in options.profiles if name not in measured]:
        parser.error(f"none of the systems is measured in {', '.join(without)}")
    if not with_people and any(PROFILES[name].by_recordings for name in options.profiles):
        parser.error("the profiles people and interruptions need --recordings FOLDER")
    return options


def _has_pipecat(python: str) -> bool:
    return subprocess.run([python, "-c", "import pipecat"], capture_output=True, check=False).returncode == 0


def _about(pipecat_python: str) -> dict[str, str]:
    # The path of the recordings is this machine's.
    arguments = ["FOLDER" if before == "--recordings" else given for before, given in pairwise(["", *sys.argv[1:]])]
    about = machine.describe("latency", arguments, ("livekit-agents", "livekit", "livekit-local-inference"))
    pipecat = machine.output(pipecat_python, "-c", "import importlib.metadata as m; print(m.version('pipecat-ai'))")
    servers = f"livekit-server {machine.livekit_server_version()}, pipecat-ai {pipecat}"
    return {**about, "versions": f"{about['versions']}, {servers}"}


if __name__ == "__main__":
    main()
