"""What we assume about the internals of Python's logging: every record reaches its handlers by ``callHandlers``.

``tests/agent_worker/test_log_protection.py`` checks it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

_original = logging.Logger.callHandlers


def filter_records(keep: Callable[[logging.LogRecord], bool]) -> None:
    """Pass each record of this process through ``keep`` before any handler gets it, in place of an earlier ``keep``.

    A filter of a logger does not see the records of the loggers below it, and handlers are added at any time: by
    livekit-agents when a process starts, by LiveKit Cloud's telemetry in a call, by your own code.

    Args:
        keep: Changes the record in place, and returns whether it is logged.
    """

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        if keep(record):
            _original(self, record)

    logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]


def unfilter_records() -> None:
    """Undo :func:`filter_records`."""
    logging.Logger.callHandlers = _original  # type: ignore[method-assign]
