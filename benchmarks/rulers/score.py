"""``python -m benchmarks.rulers.score REPORT.json ...``: scores of tau-voice and EVA for calls of ``caller --json``.

A turn of the caller is one utterance, with the pauses in it.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.cli import progress
from benchmarks.rulers.scores import Conversation, Said, eva, tau_voice
from caller.report import Segment


def conversation_of(report: Mapping[str, Any]) -> Conversation:
    """Return the call of a report of ``caller``."""
    said = [Said(turn["first_sent"], turn["last_sent"]) for turn in report["turns"]]
    parts = [*([report["greeting"]] if report["greeting"] else []), *report["turns"]]
    return Conversation(said, _joined([Segment(**sound) for part in parts for sound in part["heard"]]))


def _joined(sounds: Sequence[Segment]) -> list[Segment]:
    """Return the sounds, each once: what goes on from one turn into the next is in the report of both."""
    found: list[Segment] = []
    for sound in sorted(sounds, key=lambda sound: sound.start):
        if found and sound.start <= found[-1].end:
            found[-1].end = max(found[-1].end, sound.end)
        else:
            found.append(Segment(sound.start, sound.end))
    return found


def main() -> None:
    """Print the scores of the reports together."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rulers.score", description=__doc__)
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json", help="of `caller --json`")
    calls = [conversation_of(json.loads(path.read_text(encoding="utf-8"))) for path in parser.parse_args().reports]
    panel, scores = tau_voice(calls), eva(calls)
    progress(f"tau-voice: L_R {_mean(panel.latencies)} s, R_R {_share(panel.answered)}")
    progress(
        f"           L_Y {_mean(panel.yields)} s, R_Y {_share(panel.yielded)}, interruptions {panel.interruptions}"
    )
    progress(f"EVA:       {_mean(scores.scores)} ({len(scores.scores)} turns, {scores.early} under 0.2 s)")


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.2f}" if values else "-"


def _share(values: Sequence[bool]) -> str:
    return f"{sum(values)} of {len(values)}"


if __name__ == "__main__":
    main()
