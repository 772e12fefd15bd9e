from __future__ import annotations

import logging
import socket

import pytest
from livekit.agents.ipc.log_queue import LogQueueHandler, LogQueueListener
from livekit.agents.utils.aio import duplex_unix

from agent_worker.core.compat.stdlib_logging import filter_records, unfilter_records
from agent_worker.core.log_protection import MAX_CHARS, one_line, protect_log, protect_log_of_calls
from tests.waiting import until


def test_every_record_passes_the_filter_whichever_logger_and_handler(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        seen.append(record.name)
        return record.name != "b"

    filter_records(keep)
    for name in ("", "a", "a.below", "b"):
        logging.getLogger(name).error("x")
    assert seen == ["root", "a", "a.below", "b"], (
        "Python's logging hands records to handlers in another way: adapt agent_worker/core/compat/stdlib_logging.py"
    )
    assert [record.name for record in caplog.records] == ["root", "a", "a.below"]
    unfilter_records()
    logging.getLogger("b").error("x")
    assert caplog.records[-1].name == "b"


async def test_traceback_of_a_call_arrives_in_the_log_of_the_worker_unchanged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker_end, call_end = socket.socketpair()
    handler = LogQueueHandler(duplex_unix._Duplex.open(call_end))
    listener = LogQueueListener(duplex_unix._Duplex.open(worker_end), lambda record: setattr(record, "room", "a\nb"))
    protect_log_of_calls()
    call_logger = logging.getLogger("livekit.agents")
    call_logger.addHandler(handler)
    call_logger.propagate = False
    try:
        try:
            raise ValueError("secret")
        except ValueError:
            call_logger.exception("failed\nbadly")
    finally:
        call_logger.removeHandler(handler)
        call_logger.propagate = True
    protect_log()
    listener.start()
    handler.close()
    await until(lambda: caplog.records)
    listener.stop()
    (record,) = caplog.records
    assert record.getMessage().startswith("failed\\nbadly\nTraceback (most recent call last):\n")
    assert record.getMessage().endswith("Exception: ValueError")
    assert vars(record)["room"] == "a\\nb", "livekit-agents adds fields on the way"


def test_error_of_the_worker_keeps_its_harmless_text(caplog: pytest.LogCaptureFixture) -> None:
    protect_log()
    try:
        raise OSError("the port is taken")
    except OSError:
        logging.getLogger("livekit.agents").exception("failed")
    assert "OSError: the port is taken" in caplog.text


def test_objects_and_numbers_are_formatted_as_before(caplog: pytest.LogCaptureFixture) -> None:
    protect_log()
    logging.error("%d of %s, %.1f, %s", 3, ["a"], 0.5, None)
    logging.error("%(name)s: %(count)03d", {"name": "calls", "count": 7})
    logging.error("100 %")
    assert caplog.messages == ["3 of ['a'], 0.5, None", "calls: 007", "100 %"]


def test_long_text_is_cut() -> None:
    assert one_line("a" * MAX_CHARS) == "a" * MAX_CHARS
    assert one_line("a" * (MAX_CHARS + 1)) == "a" * MAX_CHARS + "…"
