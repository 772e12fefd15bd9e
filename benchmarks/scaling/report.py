"""What came out, as a page and as raw numbers?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.scaling.results import BUSY, SLOWER, Level, Results
from benchmarks.scaling.sizing import tables


def write(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    raw = json.loads(json.dumps(asdict(results)), parse_float=lambda text: round(float(text), 4))
    (folder / "scaling.json").write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    (folder / "scaling.md").write_text(markdown(results), encoding="utf-8")


def read(path: Path) -> Results:
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Results(raw["about"], [Level(**level) for level in raw["levels"]], raw["series"])


def markdown(results: Results) -> str:
    template = (Path(__file__).parent / "template.md").read_text(encoding="utf-8")
    worker_cpu, worker_memory = results.cpu("worker"), results.memory("worker")
    livekit_cpu, livekit_memory = results.cpu("livekit"), results.memory("livekit")
    return template.format(
        **results.about,
        rows="\n".join(_row(level) for level in results.levels),
        calls_per_core=f"{results.calls_per_core:.1f}",
        worker_cpu=f"{worker_cpu[0]:.3f}",
        worker_memory=f"{worker_memory[0]:.0f}",
        worker_base=f"{worker_memory[1]:.0f}",
        livekit_cpu=f"{livekit_cpu[0]:.3f}",
        livekit_memory=f"{livekit_memory[0]:.1f}",
        series=results.series,
        slowed=_slowed(results),
        busy=f"{BUSY:.0%}",
        others=_others(results.levels),
        **tables(results),
    )


def _row(level: Level) -> str:
    return (
        f"| {level.calls} | {len(level.gaps)} | {level.percentile(50):.2f} | {level.percentile(95):.2f} "
        f"| {level.cores['worker']:.2f} | {level.memory_mb['worker']:.0f} | {level.cores['livekit']:.2f} "
        f"| {level.others:.2f} | {len(level.failed)} |"
    )


def _slowed(results: Results) -> str:
    at = results.slowed_at
    alone = f"{SLOWER:g} times that of one call alone"
    return f"p95 was first more than {alone} with {at} calls" if at else f"p95 stayed under {alone}"


def _others(levels: Sequence[Level]) -> str:
    most = max(level.others for level in levels)
    if most < 0.1:
        return "Nothing else ran on the machine."
    return (
        f"**Other programs kept up to {most:.1f} cores busy meanwhile.** The waits are longer than they would be "
        "otherwise. The cores are rough: seconds of CPU are dearer on a busy machine, and waiting work is not in them."
    )
