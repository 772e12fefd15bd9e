"""A real Redis, for LiveKit servers that are to be one cluster."""

from __future__ import annotations

import pytest

from testbed.processes import ServiceError
from testbed.services import Service, find_binary


def redis_server(port: int) -> Service:
    try:
        binary = find_binary("redis-server")
    except ServiceError:
        pytest.skip("no redis-server on PATH or in the cache: run `make redis-server`")
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return Service("redis", command, 20, ready_line="Ready to accept connections")
