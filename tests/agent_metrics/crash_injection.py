"""Kills a child process at a chosen point: the n-th line of Python that it runs, or its n-th system call.

Children are forked from a process that has imported everything, so each crash takes milliseconds.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import agent_metrics
from agent_metrics.compat.prometheus import MmapedDict

Action = Callable[[], None]
TRACED = (str(Path(agent_metrics.__file__).parent), inspect.getfile(MmapedDict))
#: System calls that change files or ask about them.
SYSCALLS = (
    "openat,open,creat,close,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,write,pwrite64,ftruncate,"
    "fsync,fdatasync,flock,fcntl,mmap,munmap,getdents64,read,pread64"
)


def fork(action: Action) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        action()
        code = 0
    finally:
        os._exit(code)


def _finished(child: int) -> bool:
    """Wait for the child's end. Returns whether it was not killed."""
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the child failed without being killed"
    return True


# --- lines ---


def count_lines(action: Action) -> int:
    reader, writer = os.pipe()

    def run() -> None:
        lines = 0

        def count() -> None:
            nonlocal lines
            lines += 1

        _with_trace(action, count)
        os.write(writer, str(lines).encode())

    _finished(fork(run))
    counted = int(os.read(reader, 20))
    os.close(reader)
    os.close(writer)
    return counted


def kill_at_line(action: Action, line: int) -> bool:
    """Run the action in a child that is killed before its n-th line. Returns whether it finished before."""

    def run() -> None:
        left = line

        def count() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

        _with_trace(action, count)

    return _finished(fork(run))


def _with_trace(action: Action, on_line: Action) -> None:
    def in_frame(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            on_line()
        return in_frame

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        return in_frame if frame.f_code.co_filename.startswith(TRACED) else None

    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(None)


# --- system calls ---


def can_trace_syscalls() -> bool:
    return shutil.which("strace") is not None and bool(list_syscalls(lambda: os.close(os.open("/", os.O_RDONLY))))


def list_syscalls(action: Action) -> list[tuple[str, int]]:
    """Return the system calls of the action: the name, and the number among the calls of this name."""
    with tempfile.NamedTemporaryFile("r") as log:
        _run_traced(action, "-o", log.name, "-e", f"trace={SYSCALLS}")
        names = re.findall(r"^(\w+)\(", log.read(), re.MULTILINE)
    seen: Counter[str] = Counter()
    calls = []
    for name in names:
        seen[name] += 1
        calls.append((name, seen[name]))
    return calls


def kill_at_syscall(action: Action, name: str, number: int) -> bool:
    """Run the action in a child that is killed as it enters a system call. Returns whether it finished before."""
    return _run_traced(
        action, "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=SIGKILL:when={number}"
    )


def _run_traced(action: Action, *options: str) -> bool:
    reader, writer = os.pipe()

    def run() -> None:
        os.close(writer)
        os.read(reader, 1)  # until strace is attached
        action()

    child = fork(run)
    strace = subprocess.Popen(["strace", "-qq", "-p", str(child), *options], stderr=subprocess.DEVNULL)
    while strace.poll() is None and not _is_traced(child):
        pass
    os.close(writer)
    os.close(reader)
    result = _finished(child)
    strace.wait()
    return result


def _is_traced(pid: int) -> bool:
    return "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text()
