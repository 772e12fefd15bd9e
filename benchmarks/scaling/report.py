"""What came out, as a page and as raw numbers?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.scaling.results import BUSY, SLOWER, Level, Results, Worker
from benchmarks.scaling.sizing import tables


def write(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    raw = json.loads(json.dumps(asdict(results)), parse_float=lambda text: round(float(text), 4))
    (folder / "scaling.json").write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    (folder / "scaling.md").write_text(markdown(results), encoding="utf-8")


def read(path: Path) -> Results:
    raw = json.loads(path.read_text(encoding="utf-8"))
    workers = {name: Worker([Level(**level) for level in worker["levels"]]) for name, worker in raw["workers"].items()}
    return Results(raw["about"], workers, raw["series"])


def markdown(results: Results) -> str:
    template = (Path(__file__).parent / "template.md").read_text(encoding="utf-8")
    ours = results.ours
    livekit_cpu, livekit_memory = ours.cpu("livekit"), ours.memory("livekit")
    return template.format(
        **results.about,
        rows="\n".join(_row(name, level) for name, level in _side_by_side(results)),
        figures="\n".join(_figures(results)),
        livekit_cpu=f"{livekit_cpu[0]:.3f}",
        livekit_memory=f"{livekit_memory[0]:.1f}",
        series=results.series,
        slowed=" ".join(f"`{name}`: {_slowed(worker)}" for name, worker in results.workers.items()),
        others=_others([level for worker in results.workers.values() for level in worker.levels]),
        **tables(results),
    )


def _side_by_side(results: Results) -> list[tuple[str, Level]]:
    rows = [(name, level) for name, worker in results.workers.items() for level in worker.levels]
    return sorted(rows, key=lambda row: row[1].calls)  # stable: ours first


def _row(name: str, level: Level) -> str:
    return (
        f"| {level.calls} | `{name}` | {len(level.gaps)} | {level.percentile(50):.2f} | {level.percentile(95):.2f} "
        f"| {level.cores['worker']:.2f} | {level.memory_mb['worker']:.0f} | {level.cores['livekit']:.2f} "
        f"| {level.others:.2f} | {len(level.failed)} |"
    )


def _figures(results: Results) -> Iterator[str]:
    """Rows of a table: what is told, of our worker, of the bare one, and ours as a multiple of that."""
    yield from (
        _figure("CPU of the worker for each call, cores", results, lambda worker: worker.cpu("worker")[0], 3),
        _figure(f"**calls that keep one core {BUSY:.0%} busy**", results, lambda worker: worker.calls_per_core, 1),
        _figure("memory of the worker for each call, MB", results, lambda worker: worker.memory("worker")[0], 0),
        _figure(
            "memory of a worker without calls, MB (inference, and processes that wait for a call)",
            results,
            lambda worker: worker.memory("worker")[1],
            0,
        ),
    )


def _figure(name: str, results: Results, of: Callable[[Worker], float], digits: int) -> str:
    ours, bare = of(results.ours), of(results.bare)
    return f"| {name} | {ours:.{digits}f} | {bare:.{digits}f} | {ours / bare:.2f} |"


def _slowed(worker: Worker) -> str:
    at = worker.slowed_at
    alone = f"{SLOWER:g} times that of one call alone"
    return f"p95 was first more than {alone} with {at} calls." if at else f"p95 stayed under {alone}."


def _others(levels: Sequence[Level]) -> str:
    most = max(level.others for level in levels)
    if most < 0.1:
        return "Nothing else ran on the machine."
    return (
        f"**Other programs kept up to {most:.1f} cores busy meanwhile.** The waits are longer than they would be "
        "otherwise. The cores are rough: seconds of CPU are dearer on a busy machine, and waiting work is not in them."
    )
