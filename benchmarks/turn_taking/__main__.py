"""``python -m benchmarks.turn_taking --recordings FOLDER``: detectors of the end of the turn on recordings of people.

Also what the agent does when callers are heard over its answer, and what the detector costs.

The models run once on each recording; what they say is kept in the cache, so that a second run takes 10 minutes.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness import cli
from benchmarks.harness.cli import ReportFiles
from benchmarks.turn_taking import cost, report
from benchmarks.turn_taking.caller_sounds import caller_sounds
from benchmarks.turn_taking.features import Models, moments
from benchmarks.turn_taking.over_agent_figures import over_agent
from benchmarks.turn_taking.recordings import SAMPLE_RATE, Recording, RecordingsError, Samples, read

_CONDITIONS = {"telephone: 8 kHz, mu-law": "phone", "noise 10 dB under the speech": "noise 10"}
_TIMED_CALLS = 10


def main() -> None:
    """Measure and write the report."""
    parser = cli.parser("turn_taking", __doc__, seed=7, report_only=False)
    parser.add_argument("--recordings", type=Path, required=True, help="folder with MANIFEST.tsv and PAUSES.tsv")
    parser.add_argument("--recogniser-delay", type=float, default=0.3, help="of the words, seconds (%(default)s)")
    parser.add_argument(
        "--shipped-weights",
        action="store_true",
        help="the fused detector as it is installed: for recordings on which it was not fitted",
    )
    options = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    try:
        recordings = read(options.recordings)
    except RecordingsError as error:
        sys.exit(str(error))
    scored = [recording for recording in recordings if recording.kind in report.SCORED]
    noises = [recording.noise for recording in scored]
    sounds = caller_sounds(options.recordings, recordings)
    calls = cost.conversations(options.recordings)
    mini_ms, smart_ms = _speed(scored)
    run = report.Run(
        clean=moments(recordings, "clean", others=noises),
        others={name: moments(scored, condition, others=noises) for name, condition in _CONDITIONS.items()},
        over=over_agent(sounds, options.recogniser_delay, options.seed),
        costs={name: cost.measure(name, calls) for name in (cost.FUSED, cost.WITHOUT_SMART_TURN, cost.MINI)},
        mini_ms=mini_ms,
        smart_ms=smart_ms,
        seed=options.seed,
        note=options.note,
        shipped_weights=options.shipped_weights,
    )
    report.write(run, ReportFiles.at(options.out, "turn-taking"))


def _speed(recordings: Sequence[Recording]) -> tuple[float, float]:
    """Return how long v1-mini and smart-turn take, milliseconds."""
    models, samples = Models(), recordings[0].samples
    mini = _median_ms(models.mini.predict, samples[-SAMPLE_RATE:])
    return mini, _median_ms(models.smart.probability, samples)


def _median_ms(model: Callable[[Samples], float], samples: Samples) -> float:
    model(samples)
    taken = []
    for _ in range(_TIMED_CALLS):
        began = time.perf_counter()
        model(samples)
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)) * 1000


if __name__ == "__main__":
    main()
