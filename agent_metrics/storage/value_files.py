"""Value files: what the processes' files say, as far as they can be read."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from agent_metrics.compat.prometheus import DefectiveFileError, read_values
from agent_metrics.series import EXEMPLAR_KIND, KEPT_KINDS, LIVE_KINDS, Entry, parse_key
from agent_metrics.storage.folder import LOCK_NAME, VALUE_FILE_SUFFIX
from agent_metrics.storage.trusted import UntrustedError, open_file

#: A file states its length in its first bytes. A file that claims more than this is not read into memory.
_MAX_FILE_BYTES = 64 * 2**20

#: ``foreign``: not a value file of prometheus_client, or a link, a pipe or a device. ``unreadable``: the operating
#: system refuses to read it.
FileDefect = Literal["truncated", "corrupt", "foreign", "unreadable"]
FILE_DEFECTS: tuple[FileDefect, ...] = ("truncated", "corrupt", "foreign", "unreadable")


@dataclass(frozen=True)
class FileContents:
    """What a value file says, up to its first defect.

    Attributes:
        path: The file.
        kind: Its prefix, for example ``gauge_livesum``.
        pid: The rest of its name: a pid, or the id of a process folder.
        entries: Its entries.
        defect: Why there may be more, or None.
    """

    path: Path
    kind: str
    pid: str
    entries: list[Entry]
    defect: FileDefect | None = None


def read_process(folder: Path) -> list[FileContents]:
    """Read all files of a process.

    Raises:
        OSError: If its folder cannot be listed.
    """
    with os.scandir(folder) as found:
        names = sorted(entry.name for entry in found if entry.name != LOCK_NAME)
    return [read_file(folder / name) for name in names]


def read_file(path: Path) -> FileContents:
    """Read a file up to its first defect. An empty file, which a process has just made, has none."""
    kind, pid = _parse_name(path.name)
    contents = FileContents(path, kind, pid, [])
    if kind not in KEPT_KINDS | LIVE_KINDS | {EXEMPLAR_KIND}:
        return replace(contents, defect="foreign")
    try:
        return replace(contents, defect=_read_entries(contents, open_file(path)))
    except FileNotFoundError:
        return contents
    except UntrustedError:
        return replace(contents, defect="foreign")
    except OSError:
        return replace(contents, defect="unreadable")


def _read_entries(contents: FileContents, descriptor: int) -> FileDefect | None:
    """Add the entries of the open file to ``contents``, and close it. Returns the defect that ends them."""
    with os.fdopen(descriptor, "rb") as file:
        size_bytes = os.fstat(descriptor).st_size
        if not size_bytes:
            return None
        if size_bytes > _MAX_FILE_BYTES:
            return "corrupt"
        try:
            for raw, value, timestamp in read_values(file.fileno(), size_bytes):
                key = parse_key(contents.kind, raw)
                if key is None:
                    return "corrupt"
                contents.entries.append((key.raw, value, timestamp))
        except DefectiveFileError as error:
            return error.defect
    return None


def _parse_name(name: str) -> tuple[str, str]:
    """Return kind and pid: ``gauge_livesum_1234.db`` is of kind ``gauge_livesum`` and pid ``1234``."""
    if not name.endswith(VALUE_FILE_SUFFIX):
        return "", ""
    parts = name.removesuffix(VALUE_FILE_SUFFIX).split("_")
    words = 2 if parts[0] == "gauge" else 1
    return "_".join(parts[:words]), "_".join(parts[words:])
