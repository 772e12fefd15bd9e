"""Start and stop of a uvicorn server: the listening socket, the stop signals, and error exits."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

import uvicorn

from http_service.health import Page, serve_health

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_BACKLOG_CONNECTIONS = 128
_EXIT_CODE_MISCONFIGURED = 2


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, before anything else starts.

    A taken port is reported at once, and clients that connect before the server is up wait instead of being refused.

    Raises:
        OSError: If it cannot listen there; the message names host, port and reason.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG_CONNECTIONS)
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def listen_or_exit(program: str, host: str, port: int, settings: str) -> socket.socket:
    """Return a socket that listens; if it cannot, name the settings that choose another port, and exit with code 2."""
    try:
        return listen(host, port)
    except OSError as error:
        exit_misconfigured(program, f"{error}. Choose another with {settings}.")


def block_stop_signals() -> None:
    """Keep SIGINT and SIGTERM pending until a :class:`Server` handles them. Call it first in ``main``.

    An exception that a signal handler raises during startup is lost if it interrupts code that swallows exceptions,
    such as the callback of a weak reference.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    for number in _STOP_SIGNALS:
        # uvicorn raises the signal again after its own shutdown: the process then ends with exit code 0.
        signal.signal(number, lambda *_: sys.exit(0))


class Server(uvicorn.Server):
    """A uvicorn server that also handles a stop signal that arrived before it started.

    :func:`block_stop_signals` has to be called before.

    Args:
        config: Of uvicorn.
        health_listener: Serves the health endpoint, if given: see :func:`http_service.health.serve_health`.
        pages: What it serves beside that, by path.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        health_listener: socket.socket | None = None,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        super().__init__(config)
        self._health_listener = health_listener
        self._pages = pages or {}
        self._health_server: asyncio.Server | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Unblock the stop signals, now that uvicorn's handlers are installed, and start."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
        await super().startup(sockets)
        if self._health_listener and self.started:
            self._health_server = await serve_health(self._health_listener, self._pages)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; a service that is stopping is not healthy."""
        if self._health_server:
            self._health_server.close()
        await super().shutdown(sockets)


def exit_with_problems(program: str, problems: Sequence[str]) -> NoReturn:
    """Print every problem of a program's settings to stderr and exit with code 2."""
    exit_misconfigured(program, f"cannot start: {len(problems)} problem(s) in its settings", *problems)


def exit_misconfigured(program: str, message: str, *details: str) -> NoReturn:
    """Print a message and its details, one a line, to stderr and exit with code 2."""
    print("\n  - ".join((f"{program}: {message}", *details)), file=sys.stderr)
    sys.exit(_EXIT_CODE_MISCONFIGURED)
