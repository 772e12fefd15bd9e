"""Child processes that log to a file and are stopped together with all their descendants."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import aiohttp
import psutil

_STOP_TIMEOUT_S = 10.0
_PROGRESS_INTERVAL_S = 5.0
_POLL_INTERVAL_S = 0.1


class ServiceError(Exception):
    """A service is missing, does not start or has ended. The message is one line for the user: what, where, remedy."""


class Child:
    """A running child process whose output goes to a log file.

    It runs in its own session: Ctrl-C in the terminal reaches the parent only, which stops its children in order.

    Attributes:
        name: For messages.
        log: The file with its standard output and errors.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(cls, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> Child:
        """Start ``command`` in the folder of ``log``, with ``env`` on top of this process's environment."""
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                env={**os.environ, **env},
                cwd=log.parent,  # where no .env of the user is read
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while the process runs."""
        return self._process.returncode

    def output(self) -> str:
        """Return what the process has printed so far."""
        return self.log.read_text(errors="replace")

    async def wait_until(
        self, ready: Callable[[], Awaitable[bool]], timeout: float, progress: Callable[[str], None]
    ) -> None:
        """Poll ``ready`` until it is true.

        Args:
            ready: Whether the process does its work.
            timeout: Seconds to wait at most.
            progress: Gets the last line of the log every 5 s.

        Raises:
            ServiceError: If the process ends or ``timeout`` passes first.
        """
        loop = asyncio.get_running_loop()
        started = reported = loop.time()
        while not await ready():
            if loop.time() - reported > _PROGRESS_INTERVAL_S:
                reported = loop.time()
                progress(f"{self.name}: {self._last_line()}")
            if self.returncode is not None:
                raise ServiceError(
                    f"{self.name} ended with code {self.returncode}: {self._last_line()} (log: {self.log})"
                )
            if loop.time() - started > timeout:
                raise ServiceError(f"{self.name} was not ready after {timeout:.0f} s (log: {self.log})")
            await asyncio.sleep(_POLL_INTERVAL_S)

    def terminate(self) -> None:
        """Send SIGTERM to the process, and not to its descendants."""
        self._process.terminate()

    async def wait(self) -> int:
        """Wait for the end of the process and return its exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the process and all its descendants: with SIGTERM, and with SIGKILL what is left after 10 s."""
        tree = self._tree()
        if self.returncode is None:
            self._process.terminate()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), _STOP_TIMEOUT_S)
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # descendants whose parent had ended earlier
        await self._process.wait()

    def kill(self) -> None:
        """Send SIGKILL to the process and all its descendants, as if the machine lost its power."""
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def memory_mb(self) -> float:
        """Return the memory of the process and its descendants in MB; shared pages count once (PSS)."""
        total = 0
        for process in self._tree():
            with contextlib.suppress(psutil.Error):
                memory = process.memory_full_info()
                total += getattr(memory, "pss", memory.uss)  # only Linux has PSS
        return total / 1e6

    def _tree(self) -> list[psutil.Process]:
        try:
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _last_line(self) -> str:
        lines = [line for line in self.output().splitlines() if line.strip()]
        line = lines[-1] if lines else "no output"
        return str(json.loads(line)["message"]) if line.startswith('{"message"') else line


@contextlib.contextmanager
def announced_server(command: Sequence[str], announcement: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a server that prints its URL when it is ready; stop it at the end.

    Args:
        command: Makes the server listen on a free port, as ``--port 0`` does.
        announcement: The words before the URL.

    Yields:
        The URL and the process.

    Raises:
        ServiceError: If it ends before it prints the URL.
    """
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if announcement in line:
                yield line.partition(announcement)[2].split()[0], process
                return
        raise ServiceError(f"{command[0]} ended with code {process.wait()} before it was ready")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def free_port() -> int:
    """Return a TCP port of loopback that is free together with the two after it."""
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
        if _is_free(port + 1) and _is_free(port + 2):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def require_free_port(port: int, purpose: str, setting: str) -> None:
    """Check that nothing listens on ``port``.

    Args:
        port: On loopback.
        purpose: What needs it.
        setting: The environment variable that chooses another port.

    Raises:
        ServiceError: If the port is taken.
    """
    if not _is_free(port):
        raise ServiceError(
            f"port {port} for {purpose} is taken: stop what uses it, or choose another with {setting}=PORT"
        )


async def poll(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until ``condition`` is true, where another process cannot be made to send an event."""
    while not await condition():
        await asyncio.sleep(_POLL_INTERVAL_S)


async def responds(url: str) -> bool:
    """Whether a GET of ``url`` returns status 200 within 2 s."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http, http.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError):
        return False


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set ``stop`` on SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal is closed)."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
