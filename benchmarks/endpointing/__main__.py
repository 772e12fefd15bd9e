"""``python -m benchmarks.endpointing``: which settings end the caller's turn sooner, and cut no more turns than stock.

Speaks the sentences (once; the audio is kept), lets the framework's VAD and end-of-turn model listen, replays every
setting over what they heard, prints the table and writes docs/benchmarks/endpointing.{md,json,svg}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from livekit.agents import inference

from benchmarks.endpointing import report
from benchmarks.endpointing.speech import Recording, recordings
from benchmarks.endpointing.trace import trace, vads
from benchmarks.endpointing.turns import Turn, read_traces

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"


def main() -> None:
    arguments = _arguments()
    # DynamicEndpointing reports each adjustment, the detector that it is not the newest.
    logging.getLogger("livekit").setLevel(logging.ERROR)
    started = time.monotonic()
    if arguments.traces:
        traces = read_traces(json.loads(arguments.traces.read_text())["traces"])
    else:
        traces = asyncio.run(_listen(_spoken(arguments.seed), arguments.seed))
    print(f"{len(next(iter(traces.values())))} recordings, {time.monotonic() - started:.0f} s", flush=True)
    result = report.evaluate(traces, arguments.seed)
    print(report.table(result))
    report.write(result, traces, arguments.out, arguments.seed)
    print(f"written to {arguments.out}, {time.monotonic() - started:.0f} s")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endpointing", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of endpointing.md, .json and .svg")
    parser.add_argument("--traces", type=Path, help="an endpointing.json: replay what was heard then, without models")
    return parser.parse_args()


def _spoken(seed: int) -> list[Recording]:
    spoken = []
    for recording in recordings(seed):
        spoken.append(recording)
        if len(spoken) % 32 == 0:
            print(f"{len(spoken)} sentences spoken", flush=True)
    return spoken


async def _listen(spoken: Sequence[Recording], seed: int) -> dict[str, list[Turn]]:
    detector = inference.TurnDetector(version="v1-mini")
    by_vad = vads()
    traces: dict[str, list[Turn]] = {name: [] for name in by_vad}
    for number, recording in enumerate(spoken, 1):
        for name, voice_activity in by_vad.items():
            traces[name].append(await trace(recording, detector, voice_activity))
        if number % 32 == 0:
            print(f"{number} recordings heard", flush=True)
    return {name: _calls(turns, seed) for name, turns in traces.items()}


def _calls(turns: list[Turn], seed: int) -> list[Turn]:
    """In the order in which dynamic endpointing learns from them: one voice, then the other, sentences mixed."""
    shuffled = [turns[index] for index in np.random.default_rng(seed).permutation(len(turns))]
    return sorted(shuffled, key=lambda turn: turn.voice)


if __name__ == "__main__":
    main()
