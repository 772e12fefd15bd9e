"""Folders and files that no other user of the machine can have planted, can replace, or can make an open block.

A folder is trusted if it belongs to this process's user or to root, is no symbolic link, and only its owner may write
to it. In such a folder nobody else can put a link or another file between a check and its use. The folders above must
be safe in the same sense, or somebody could replace the folder itself: see :func:`check_path`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MAX_NAME_BYTES = 255


class UntrustedError(OSError):
    """A folder or file that another user made or may change, or that is a link, a pipe or a device."""


# --- names ---


def is_plain_name(name: str) -> bool:
    """Return whether a name is that of an entry of a folder, on one line: it leads nowhere else."""
    is_known_text = name.isprintable() and len(name.encode(errors="surrogateescape")) <= _MAX_NAME_BYTES
    return is_known_text and name not in ("", ".", "..") and "/" not in name


# --- folders ---


def folder_problem(status: os.stat_result, *, group_may_write: bool = False) -> str | None:
    """Return why a folder with this ``lstat`` result is not trusted, or None."""
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link: name the folder itself"
    if not _is_own(status):
        return f"belongs to user {status.st_uid}, and this process runs as {os.geteuid()}: choose another folder"
    if status.st_mode & (stat.S_IWOTH if group_may_write else _OTHERS_MAY_WRITE):
        mode = stat.S_IMODE(status.st_mode)
        return f"may be written by other users (mode {mode:o}): run `chmod go-w`, or choose a new folder inside it"
    return None


def check_folder(folder: Path, *, group_may_write: bool = False) -> None:
    """Check that a folder is trusted.

    Args:
        folder: The folder.
        group_may_write: Whether its group may write to it.

    Raises:
        UntrustedError: If it is not.
        OSError: If it is no folder, or does not exist.
    """
    status = folder.lstat()
    if problem := folder_problem(status, group_may_write=group_may_write):
        raise UntrustedError(f"{folder} {problem}")
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def check_path(folder: Path) -> None:
    """Check that a folder is trusted, and that no other user can replace it through a folder above.

    A folder above is safe if it belongs to root, to this user or to the owner of ``/``, and cannot be written by
    everybody unless it has the sticky bit, as /tmp has. A mount point is safe: root, or the platform that runs this
    container, decides on it. Kubernetes makes its volumes writable by everybody in the pod.

    Raises:
        UntrustedError: If that is not so.
        OSError: If it is no folder, or does not exist.
    """
    check_folder(folder)
    for parent in folder.absolute().parents:
        _check_parent(parent, folder)


def _check_parent(parent: Path, folder: Path) -> None:
    status = parent.lstat()
    if not (_is_own(status) or status.st_uid == os.stat("/").st_uid or _is_mount_point(parent)):
        raise UntrustedError(
            f"{folder} is not safe: {parent} belongs to user {status.st_uid}, who may replace it. Choose another folder"
        )
    if stat.S_ISLNK(status.st_mode):
        target = parent.parent / os.readlink(parent)
        for each in (target, *target.parents):
            _check_parent(each, folder)
    elif status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX and not _is_mount_point(parent):
        raise UntrustedError(
            f"{folder} is not safe: any user may replace it in {parent} (mode {stat.S_IMODE(status.st_mode):o}). "
            "Choose another folder"
        )


def _is_mount_point(folder: Path) -> bool:
    if os.path.ismount(folder):
        return True
    try:  # a bind mount inside one file system
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return str(folder) in (mount.split()[4] for mount in mounts)


def make_folder(folder: Path, *, group_may_write: bool = False) -> None:
    """Make a folder that only this user may enter, with missing parents, unless it exists; then check it.

    Args:
        folder: The folder.
        group_may_write: Whether its group may write to one that exists.

    Raises:
        UntrustedError: If it exists and is not trusted.
        OSError: If it cannot be made.
    """
    missing = [each for each in (folder, *folder.absolute().parents) if not os.path.lexists(each)]
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):
            each.mkdir(_FOLDER_MODE)
    check_folder(folder, group_may_write=group_may_write)


@contextlib.contextmanager
def opened_folder(name: str | Path, parent: int | None = None) -> Iterator[int]:
    """Yield a descriptor of a trusted folder, to be used as ``dir_fd``: it stays this folder whatever is renamed.

    Args:
        name: The folder.
        parent: Descriptor of the folder where it is.

    Raises:
        UntrustedError: If it is not trusted.
        OSError: If it cannot be opened.
    """
    try:
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        raise UntrustedError(f"{name} is a symbolic link, or no folder") from error
    try:
        if problem := folder_problem(os.fstat(folder)):
            raise UntrustedError(f"{name} {problem}")
        yield folder
    finally:
        os.close(folder)


def remove_tree(name: str, parent: int, last: str = "") -> None:
    """Remove a folder and what is in it. Links are removed and not followed.

    Args:
        name: The folder.
        parent: Descriptor of the folder where it is.
        last: The file in it that is removed last.

    Raises:
        OSError: If something cannot be removed.
    """
    for _, folders, files, descriptor in os.fwalk(name, topdown=False, dir_fd=parent):
        for entry in (*folders, *sorted(files, key=lambda file: file == last)):
            _remove_entry(entry, descriptor)
    _remove_entry(name, parent)


def _remove_entry(name: str, parent: int) -> None:
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    remove = os.rmdir if stat.S_ISDIR(status.st_mode) else os.unlink
    remove(name, dir_fd=parent)


# --- files ---


def open_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a regular file; never follow a link, wait for a pipe or touch a device. A new file is for this user only.

    Returns:
        The descriptor.

    Raises:
        UntrustedError: If it is no regular file.
        OSError: If it cannot be opened.
    """
    _require_regular_if_exists(path)
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, _FILE_MODE)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _not_regular(path)


def _require_regular_if_exists(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _not_regular(path)


def _not_regular(path: Path) -> UntrustedError:
    return UntrustedError(f"{path} is no regular file, but a link, a folder, a pipe or a device: remove it")


def check_file(path: Path) -> None:
    """Check that a file, if it exists, is a regular one that only this user or root may write to.

    Raises:
        UntrustedError: If it is not.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise _not_regular(path)
    if not _is_own(status):
        raise UntrustedError(f"{path} belongs to user {status.st_uid}, and this process runs as {os.geteuid()}")
    if status.st_mode & _OTHERS_MAY_WRITE:
        raise UntrustedError(
            f"{path} may be written by other users (mode {stat.S_IMODE(status.st_mode):o}): run `chmod go-w`"
        )


def _is_own(status: os.stat_result) -> bool:
    """Return whether it belongs to this user, or to root, who may change everything anyway."""
    return status.st_uid in (0, os.geteuid())
