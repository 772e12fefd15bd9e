"""Command line of a benchmark: common options, progress, interruption, exit codes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.processes import ServiceError, stop_on_signals
from testbed.services import ROOT

DOCS = ROOT / "docs" / "benchmarks"


@dataclass(frozen=True)
class ReportFiles:
    """Files of one report: raw results in JSON, and the page and the plot that are made from them."""

    json: Path

    @classmethod
    def at(cls, out: Path, name: str) -> ReportFiles:
        """Return the files for ``--out``, which is a JSON file or the folder for ``NAME.json``."""
        return cls(out if out.suffix == ".json" else out / f"{name}.json")

    @property
    def page(self) -> Path:
        """The report in Markdown."""
        return self.json.with_suffix(".md")

    @property
    def plot(self) -> Path:
        """The plot as SVG."""
        return self.json.with_suffix(".svg")

    def write_page(self, text: str) -> None:
        """Write the report and say where it is."""
        self.page.parent.mkdir(parents=True, exist_ok=True)
        self.page.write_text(text, encoding="utf-8")
        progress(f"report: {self.page}")


def parser(
    name: str, description: str | None, *, seed: int | None = None, report_only: bool = True
) -> argparse.ArgumentParser:
    """Return a parser with the common options.

    Args:
        name: The benchmark, as in ``python -m benchmarks.NAME``.
        description: What it does.
        seed: Default of ``--seed``; None if it has no such option.
        report_only: Whether the page can be made from the raw results alone.
    """
    found = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    found.add_argument("--out", type=Path, default=DOCS, help="JSON file of the results, or its folder")
    found.add_argument("--note", default="", help="a sentence about the run, for the report")
    if report_only:
        found.add_argument(
            "--report-only", action="store_true", help="make the page from the JSON file, measure nothing"
        )
    if seed is not None:
        found.add_argument("--seed", type=int, default=seed, help="default: %(default)s")
    return found


def progress(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def log_folder(name: str) -> Path:
    """Make a folder for the logs of a run and print its path."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    progress(f"logs: {folder}")
    return folder


def run(measurement: Coroutine[Any, Any, None]) -> None:
    """Run a measurement to its end, or until Ctrl-C or SIGTERM; its services are stopped either way.

    Raises:
        SystemExit: With the message of a ServiceError, or with 130 after an interruption.
    """
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # its messages contain the caller's token
    try:
        completed = asyncio.run(_run_until_stopped(measurement))
    except ServiceError as error:
        sys.exit(str(error))
    if not completed:
        sys.exit(130)


async def _run_until_stopped(measurement: Coroutine[Any, Any, None]) -> bool:
    stop = asyncio.Event()
    stop_on_signals(stop)
    running, stopping = asyncio.create_task(measurement), asyncio.create_task(stop.wait())
    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if running.done():
        running.result()
        return True
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return False
