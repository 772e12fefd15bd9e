"""``python -m benchmarks.call_guard``: play the scenarios, and update the call guard's table in docs/reliability.md."""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from benchmarks.call_guard.report import read, write
from benchmarks.call_guard.scenarios import SCENARIOS, run
from benchmarks.harness import cli
from benchmarks.harness.cli import progress
from testbed.services import ROOT

_PAGE = ROOT / "docs" / "reliability.md"


def main() -> None:
    """Play the scenarios that the command line selects."""
    options = _parse()
    if options.report_only:
        write(read(options.out), options.out, _PAGE)
        return
    cli.run(_measure(options))


async def _measure(options: argparse.Namespace) -> None:
    found = read(options.out)
    folder = cli.log_folder("call-guard")
    for name, scenario in SCENARIOS.items():
        if re.search(options.only, name):
            progress(name)
            logs = Path(tempfile.mkdtemp(dir=folder))
            found[name] = outcome = await run(scenario, logs)
            progress(f"  {outcome} (logs: {logs})")
            write(found, options.out, _PAGE)


def _parse() -> argparse.Namespace:
    parser = cli.parser("call_guard", __doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="scenarios whose name matches")
    parser.set_defaults(out=cli.DOCS / "call-guard.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
