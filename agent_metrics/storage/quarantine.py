"""The quarantine: a bounded folder where defective files of dead processes are kept for inspection."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agent_metrics.status import Status
from agent_metrics.storage.value_files import read_file

_MAX_FILES = 100
_MAX_BYTES = 4 * 2**20


class Quarantine:
    """Keeps defective files, at most 100 and 4 MB of them; the oldest are deleted first.

    Args:
        folder: Where they are kept; it is made with the first file.
        status: Counts them.
    """

    def __init__(self, folder: Path, status: Status) -> None:
        self._folder = folder
        self._status = status

    def move_in(self, process_folder: Path, names: Iterable[str]) -> None:
        """Move these files of a process into the quarantine.

        Raises:
            OSError: If a file cannot be moved.
        """
        for name in names:
            path = process_folder / name
            if not path.is_file():
                continue
            defect = read_file(path).defect or "corrupt"
            self._folder.mkdir(parents=True, exist_ok=True)
            path.rename(self._folder / f"{process_folder.name}.{name}")
            self._status.record_quarantined(defect, path)
            self._delete_excess()

    def _delete_excess(self) -> None:
        newest_first = sorted(self._folder.iterdir(), key=lambda path: path.lstat().st_mtime, reverse=True)
        total_bytes = 0
        for count, path in enumerate(newest_first, 1):
            total_bytes += path.lstat().st_size
            if count > _MAX_FILES or total_bytes > _MAX_BYTES:
                path.unlink()
