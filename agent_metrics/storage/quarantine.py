"""The quarantine: a bounded folder where defective files of dead processes are kept for inspection."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from agent_metrics.status import Status
from agent_metrics.storage.trusted import make_folder, opened_folder
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

    def move_in(self, process_folder: Path, descriptor: int, names: Iterable[str]) -> None:
        """Move these files of a process into the quarantine. What is no regular file stays.

        Args:
            process_folder: Path of the process's folder.
            descriptor: Descriptor of this folder.
            names: Names of files in it.

        Raises:
            OSError: If a file cannot be moved.
        """
        for name in names:
            if not _is_file(name, descriptor):
                continue
            path = process_folder / name
            defect = read_file(path).defect or "corrupt"
            make_folder(self._folder)
            with opened_folder(self._folder) as quarantine:
                os.rename(name, f"{process_folder.name}.{name}", src_dir_fd=descriptor, dst_dir_fd=quarantine)
                self._status.record_quarantined(defect, path)
                _delete_excess(quarantine)


def _is_file(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _delete_excess(folder: int) -> None:
    found = [(name, os.stat(name, dir_fd=folder, follow_symlinks=False)) for name in os.listdir(folder)]
    total_bytes = 0
    for count, (name, status) in enumerate(sorted(found, key=lambda file: file[1].st_mtime, reverse=True), 1):
        total_bytes += status.st_size
        if count > _MAX_FILES or total_bytes > _MAX_BYTES:
            os.unlink(name, dir_fd=folder)
