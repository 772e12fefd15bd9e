"""The report's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.harness.cut_offs import cut_offs
from benchmarks.harness.markdown import fill, row
from benchmarks.scaling.results import MAX_LOAD, MAX_SLOWDOWN, Level, Results, Worker
from benchmarks.scaling.sizing import tables

_NEGLIGIBLE_CORES = 0.1


def markdown(results: Results) -> str:
    """Return the page."""
    livekit_cpu, livekit_memory = results.ours.cpu("livekit"), results.ours.memory("livekit")
    levels = [(name, level) for name, worker in results.workers.items() for level in worker.levels]
    return fill(
        Path(__file__).parent / "template.md",
        **results.about,
        rows="\n".join(_level(name, level) for name, level in sorted(levels, key=lambda pair: pair[1].calls)),
        figures="\n".join(_figures(results)),
        livekit_cpu=f"{livekit_cpu[0]:.3f}",
        livekit_memory=f"{livekit_memory[0]:.1f}",
        series=results.series,
        cut_offs=cut_offs(),
        slowed=" ".join(f"`{name}`: {_slowdown(worker)}" for name, worker in results.workers.items()),
        others=_others([level for _, level in levels]),
        **tables(results),
    )


def _level(name: str, level: Level) -> str:
    return row(
        level.calls,
        f"`{name}`",
        len(level.gaps),
        f"{level.percentile(50):.2f}",
        f"{level.percentile(95):.2f}",
        f"{level.cores['worker']:.2f}",
        f"{level.memory_mb['worker']:.0f}",
        f"{level.cores['livekit']:.2f}",
        f"{level.other_cores:.2f}",
        len(level.failed),
    )


def _figures(results: Results) -> list[str]:
    """Return rows of a table: a figure of this worker and of the bare one, and their ratio."""
    figures: list[tuple[str, Callable[[Worker], float], int]] = [
        ("CPU of the worker for each call, cores", lambda worker: worker.cpu("worker")[0], 3),
        (f"**calls that keep one core {MAX_LOAD:.0%} busy**", lambda worker: worker.calls_per_core, 1),
        ("memory of the worker for each call, MB", lambda worker: worker.memory("worker")[0], 0),
        (
            "memory of a worker without calls, MB (inference, and processes that wait for a call)",
            lambda worker: worker.memory("worker")[1],
            0,
        ),
    ]
    return [
        row(name, f"{of(results.ours):.{digits}f}", f"{of(results.bare):.{digits}f}", f"{ratio:.2f}")
        for name, of, digits in figures
        for ratio in [of(results.ours) / of(results.bare)]
    ]


def _slowdown(worker: Worker) -> str:
    at, limit = worker.slowed_at, f"{MAX_SLOWDOWN:g} times that of one call alone"
    return f"p95 was first more than {limit} with {at} calls." if at else f"p95 stayed under {limit}."


def _others(levels: Sequence[Level]) -> str:
    most = max(level.other_cores for level in levels)
    if most < _NEGLIGIBLE_CORES:
        return "Nothing else ran on the machine."
    return (
        f"**Other programs kept up to {most:.1f} cores busy meanwhile.** The waits are longer than they would be "
        "otherwise. The cores are approximate: a busy machine needs more CPU seconds for the same work, and work that "
        "waits for a core is not included."
    )
