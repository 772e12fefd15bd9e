"""Child processes: started, watched, logged, and stopped with everything that they started themselves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import aiohttp
import psutil

_STOP_TIMEOUT = 10.0


class ServiceError(Exception):
    """Something a person has to know, in one line: what, where, what to do."""


class Child:
    """A running child process, with its output in a log file.

    It gets a session of its own, so that Ctrl-C in the terminal reaches only us and the children are stopped
    in order.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(cls, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> Child:
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                env={**os.environ, **env},
                cwd=log.parent,  # no .env of the user's there
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    async def wait_until(
        self, ready: Callable[[], Awaitable[bool]], timeout: float, progress: Callable[[str], None]
    ) -> None:
        """Wait for ``ready``, polling it, and say every 5 s that we still wait and what the log says.

        Raises:
            ServiceError: If the process ends or ``timeout`` seconds pass before.
        """
        loop = asyncio.get_running_loop()
        started = said_at = loop.time()
        while not await ready():
            if loop.time() - said_at > 5:
                said_at = loop.time()
                progress(f"{self.name}: {self._last_line()}")
            if self.returncode is not None:
                raise ServiceError(
                    f"{self.name} ended with code {self.returncode}: {self._last_line()} (log: {self.log})"
                )
            if loop.time() - started > timeout:
                raise ServiceError(f"{self.name} was not ready after {timeout:.0f} s (log: {self.log})")
            await asyncio.sleep(0.1)

    def terminate(self) -> None:
        """Ask the process alone, not those that it started, to end."""
        self._process.terminate()

    async def wait(self) -> int:
        """Its code, once it has ended."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End the process and all its descendants: politely first, by force after 10 s."""
        family = self._family()
        if self.returncode is None:
            self._process.terminate()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), _STOP_TIMEOUT)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # those whose parent has died before
        await self._process.wait()

    def kill(self) -> None:
        """End the process and all its descendants at once, as when a machine loses its power."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def memory_mb(self) -> float:
        """Memory of the process and all its descendants, MB, shared pages counted once (PSS)."""
        total = 0
        for process in self._family():
            with contextlib.suppress(psutil.Error):
                memory = process.memory_full_info()
                total += getattr(memory, "pss", memory.uss)  # only Linux tells the former
        return total / 1e6

    def _family(self) -> list[psutil.Process]:
        try:
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _last_line(self) -> str:
        lines = [line for line in self.output().splitlines() if line.strip()]
        line = lines[-1] if lines else "no output"
        return str(json.loads(line)["message"]) if line.startswith('{"message"') else line


def free_port() -> int:
    """A TCP port that was free a moment ago, and the two after it too."""
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
    """Raise ServiceError if something listens on ``port`` already."""
    if not _is_free(port):
        raise ServiceError(
            f"port {port} for {purpose} is taken: stop what uses it, or choose another with {setting}=PORT"
        )


async def answers(url: str) -> bool:
    """Whether a GET of ``url`` succeeds."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http, http.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError):
        return False


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set ``stop`` on Ctrl-C, SIGTERM, and when the terminal is closed."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
