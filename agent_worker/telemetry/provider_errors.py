"""Tell why a request to a provider failed, by what an operator does about it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from livekit.agents import APIConnectionError, APIStatusError, APITimeoutError

from agent_worker.telemetry.metrics import ErrorReason

_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN})
_TIMED_OUT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT})


def reason_of(error: BaseException | None) -> ErrorReason:
    """Return the reason of a failure.

    Args:
        error: What a component reports with its event ``error``; ``None`` if it reports nothing.
    """
    if isinstance(error, APIStatusError):
        return _reason_of_status(error.status_code)
    if isinstance(error, (APITimeoutError, asyncio.TimeoutError)):
        return "timeout"
    if isinstance(error, (APIConnectionError, ConnectionError)):
        return "unavailable"
    return "other"


def _reason_of_status(status: int) -> ErrorReason:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limited"
    if status in _DENIED:
        return "denied"
    if status in _TIMED_OUT:
        return "timeout"
    return "unavailable" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "other"
