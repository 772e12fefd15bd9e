"""A uvicorn server that ends when it is told to, however early that is."""

from __future__ import annotations

import signal
import socket
import sys

import uvicorn

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def hold_stop_signals() -> None:
    """Have SIGINT and SIGTERM wait until a :class:`Server` listens to them. Call it first in the program.

    What a handler raises before is lost where it happens to run in code that lets no exception pass, as a weak
    reference's callback.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    for number in _STOP_SIGNALS:
        signal.signal(number, lambda *_: sys.exit(0))  # uvicorn finishes what it does before it comes to this


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)  # uvicorn's handlers are there by now
        await super().startup(sockets)
