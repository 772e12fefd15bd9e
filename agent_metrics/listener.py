"""A socket that listens before anything else is up, so that a taken port is told at once and early guests wait."""

from __future__ import annotations

import socket


def listen(host: str, port: int) -> socket.socket:
    """Raises OSError with what is wrong, and where."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener
