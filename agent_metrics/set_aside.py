"""Where do the flawed files of dead processes go? Where a person may look at them, and not too many of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agent_metrics.files import read
from agent_metrics.status import Status

_MAX_FILES = 100
_MAX_BYTES = 4 * 2**20


class SetAside:
    """The folder of flawed files. The oldest go when there are more than 100, or than 4 MB."""

    def __init__(self, folder: Path, status: Status) -> None:
        self._folder = folder
        self._status = status

    def keep(self, process: Path, names: Iterable[str]) -> None:
        """Move these files of a process here.

        Raises:
            OSError: If one cannot be moved.
        """
        for name in names:
            path = process / name
            if not path.is_file():
                continue
            flaw = read(path).flaw or "corrupt"
            self._folder.mkdir(parents=True, exist_ok=True)
            path.rename(self._folder / f"{process.name}.{name}")
            self._status.set_aside(flaw, path)
            self._make_room()

    def _make_room(self) -> None:
        files = sorted(self._folder.iterdir(), key=lambda path: path.lstat().st_mtime, reverse=True)
        size = 0
        for number, path in enumerate(files, 1):
            size += path.lstat().st_size
            if number > _MAX_FILES or size > _MAX_BYTES:
                path.unlink()
