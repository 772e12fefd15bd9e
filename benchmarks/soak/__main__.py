"""``python -m benchmarks.soak``: make calls without a pause for 45 minutes."""

from __future__ import annotations

import argparse
import sys

from benchmarks.harness import cli, machine, results
from benchmarks.harness.cli import ReportFiles, progress
from benchmarks.reliability.testbed import run_testbed
from benchmarks.soak.report import markdown
from benchmarks.soak.run import Soak, soak


def main() -> None:
    """Measure as the command line asks; exit with the problems, if there are any."""
    options = _parse()
    files = ReportFiles.at(options.out, "soak")
    if not options.report_only:
        cli.run(_measure(options, files))
    measured = results.load(files.json, Soak)
    files.write_page(markdown(measured))
    if not options.report_only and measured.problems:
        sys.exit("\n".join(measured.problems))


async def _measure(options: argparse.Namespace, files: ReportFiles) -> None:
    folder = cli.log_folder("soak")
    (folder / "tmp").mkdir()
    about = {
        **machine.describe("soak", sys.argv[1:]),
        **{name: getattr(options, name) for name in ("minutes", "lines", "seed", "note")},
    }
    async with run_testbed(folder, {"TMPDIR": "{folder}/tmp"}) as testbed:
        measured = Soak(about)
        await soak(measured, testbed, options.minutes, options.lines, options.seed, progress)
    results.save(files.json, measured, depth=2, digits=2)


def _parse() -> argparse.Namespace:
    parser = cli.parser("soak", __doc__, seed=11)
    parser.add_argument("--minutes", type=float, default=45.0, help="default: %(default)s")
    parser.add_argument("--lines", type=int, default=2, help="simultaneous calls (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
