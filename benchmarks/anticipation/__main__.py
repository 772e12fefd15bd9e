"""``python -m benchmarks.anticipation --recordings FOLDER``: how soon after people the agent can be heard.

What bounds it, and three experiments with anticipation, replayed. The models' answers are kept in the cache.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from benchmarks.anticipation import report
from benchmarks.anticipation.calls import calls
from benchmarks.anticipation.probes import probes
from benchmarks.harness import cli, results
from benchmarks.harness.cli import ReportFiles
from benchmarks.latency.results import Results
from benchmarks.turn_taking.features import moments
from benchmarks.turn_taking.recordings import RecordingsError, read


def main() -> None:
    """Measure and write the report."""
    parser = cli.parser("anticipation", __doc__, seed=7, report_only=False)
    parser.add_argument("--recordings", type=Path, required=True, help="folder with MANIFEST.tsv and PAUSES.tsv")
    options = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    try:
        recordings = read(options.recordings)
    except RecordingsError as error:
        sys.exit(str(error))
    run = report.Run(
        moments=moments(recordings, "clean", others=[]),
        probes=probes(recordings),
        calls=calls(results.load(cli.DOCS / "latency.json", Results)),
        seed=options.seed,
        note=options.note,
    )
    report.write(run, ReportFiles.at(options.out, "anticipation"))


if __name__ == "__main__":
    main()
