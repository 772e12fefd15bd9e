"""Check that a weight file is the expected one."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

_BLOCK_BYTES = 1 << 20


class WeightsError(Exception):
    """A weight file is missing or wrong; the message is one line with the remedy."""


def check_sha256(path: Path, sha256: str, remedy: str) -> Path:
    """Return ``path`` if its content has this checksum.

    Raises:
        WeightsError: If it has another one or cannot be read; the message ends with ``remedy``.
    """
    found = _sha256_of(path, remedy)
    if found != sha256:
        raise WeightsError(f"{path} is not the expected file (sha256 {found[:12]}…, expected {sha256[:12]}…): {remedy}")
    return path


def check_sha256_once(path: Path, sha256: str, remedy: str) -> Path:
    """Like :func:`check_sha256`, but an unchanged file is not read again: a gigabyte takes seconds.

    The result is kept beside the file, together with the file's size and time of change.
    """
    stamp = path.with_name(f"{path.name}.checked")
    with contextlib.suppress(OSError):
        if stamp.read_text() == _stamp_of(path, sha256):
            return path
    check_sha256(path, sha256, remedy)
    with contextlib.suppress(OSError):  # a folder that cannot be written: it is checked again the next time
        stamp.write_text(_stamp_of(path, sha256))
    return path


def _stamp_of(path: Path, sha256: str) -> str:
    status = path.stat()
    return f"{sha256} {status.st_size} {status.st_mtime_ns}\n"


def _sha256_of(path: Path, remedy: str) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise WeightsError(f"cannot read {path} ({error.strerror}): {remedy}") from error
    return digest.hexdigest()
