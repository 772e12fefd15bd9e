"""``python -m benchmarks.endpointing``: compare settings that end the caller's turn.

Synthesizes sentences with pauses (once; the audio is kept), runs the framework's VAD and end-of-turn model on them, and
replays every setting over what these detected.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.endpointing import report
from benchmarks.endpointing.turns import Turn
from benchmarks.harness import cli, results
from benchmarks.harness.cli import ReportFiles, progress

_PROGRESS_INTERVAL = 32


@dataclass(frozen=True)
class _Saved:
    """The part of the results that everything else is computed from."""

    seed: int
    traces: dict[str, list[Turn]]


def main() -> None:
    """Measure, or replay saved traces, as the command line asks."""
    options = _parse()
    # DynamicEndpointing logs each adjustment, and the detector that it is not the newest.
    logging.getLogger("livekit").setLevel(logging.ERROR)
    files = ReportFiles.at(options.out, "endpointing")
    seed, path = options.seed, files.json if options.report_only else options.traces
    if path:
        saved = results.load(path, _Saved)
        seed, traces = saved.seed if options.report_only else seed, saved.traces
    else:
        traces = asyncio.run(_listen(seed))
    evaluation = report.evaluate(traces, seed)
    progress(report.settings_table(evaluation))
    if not options.report_only:
        results.save(files.json, report.raw(evaluation, traces, seed), depth=3)
    report.write(evaluation, files, seed)


def _parse() -> argparse.Namespace:
    parser = cli.parser("endpointing", __doc__, seed=7)
    parser.add_argument("--traces", type=Path, help="an endpointing.json whose traces are replayed, without models")
    return parser.parse_args()


async def _listen(seed: int) -> dict[str, list[Turn]]:
    # Imported here, because replaying needs neither models nor the silero plugin.
    from livekit.agents import inference

    from benchmarks.endpointing.speech import recordings
    from benchmarks.endpointing.trace import trace, vads

    detector, by_vad = inference.TurnDetector(version="v1-mini"), vads()
    traces: dict[str, list[Turn]] = {name: [] for name in by_vad}
    for number, recording in enumerate(await asyncio.to_thread(list, recordings(seed)), 1):
        for name, voice_activity in by_vad.items():
            traces[name].append(await trace(recording, detector, voice_activity))
        if number % _PROGRESS_INTERVAL == 0:
            progress(f"{number} recordings processed")
    return {name: _in_order_of_calls(turns, seed) for name, turns in traces.items()}


def _in_order_of_calls(turns: list[Turn], seed: int) -> list[Turn]:
    """Return the order in which dynamic endpointing learns from them: by voice, sentences shuffled."""
    shuffled = [turns[index] for index in np.random.default_rng(seed).permutation(len(turns))]
    return sorted(shuffled, key=lambda turn: turn.voice)


if __name__ == "__main__":
    main()
