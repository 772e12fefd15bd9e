"""``python -m benchmarks.scaling``: load one core with more and more calls."""

from __future__ import annotations

import argparse
import sys

from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles
from benchmarks.harness.systems import SYSTEMS
from benchmarks.scaling.report import markdown
from benchmarks.scaling.results import BARE, OURS, Results
from benchmarks.scaling.run import RunOptions, run


def main() -> None:
    """Measure as the command line asks."""
    options = _parse()
    files = ReportFiles.at(options.out, "scaling")
    if options.report_only:
        files.write_page(markdown(results.load(files.json, Results)))
    else:
        cli.run(_measure(options, files))


async def _measure(options: argparse.Namespace, files: ReportFiles) -> None:
    """Save the results and the page after each level, so that a long run may be ended early."""
    about = {**machine.describe("scaling", sys.argv[1:]), "seed": options.seed, "note": options.note}
    systems = [SYSTEMS[name] for name in (OURS, BARE)]
    run_options = RunOptions(systems, options.calls, options.turns, options.seed, cli.log_folder("scaling"))
    async for workers, series in run(run_options):
        if all(len(worker.levels) > 1 for worker in workers.values()):  # a line needs two points
            measured = Results(about, workers, series)
            results.save(files.json, measured, depth=4)
            files.write_page(markdown(measured))


def _parse() -> argparse.Namespace:
    parser = cli.parser("scaling", __doc__, seed=7)
    levels = [1, 2, 3, 4, 6, 8, 10, 12, 16, 20]
    parser.add_argument("--calls", type=int, nargs="+", default=levels, help="simultaneous (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=48, help="at least, per worker and level (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
