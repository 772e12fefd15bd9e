"""What the members of a room can write to the log: names, topics, attributes, payloads, on any logger."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from livekit.agents.cli.log import ColoredFormatter, JsonFormatter

from agent_worker.core.log_protection import MAX_CHARS, protect_log, protect_log_of_calls
from tests.hostile.strategies import ANY_TEXT

HOSTILE = [
    'guest\n{"level": "ERROR", "message": "the disk is full"}',
    "guest\r\n2026-01-01 00:00:00 ERROR forged",
    "guest\x1b[2J\x1b[1;1H\x1b]0;title\x07",
    "guest\x9b31m",
    "guest\u2028forged\u2029forged",
    "guest\u202egnp.exe",
    "guest\ud800",
    "guest" * 10_000,
]
LOGGERS = ["", "livekit", "livekit.agents", "livekit.plugins.deepgram", "agent_worker", "some.library"]
FORMATTERS = {
    "production": JsonFormatter(),
    "dev": ColoredFormatter("%(levelname)s %(name)s %(message)s %(extra)s"),
    "plain": logging.Formatter("%(levelname)s %(name)s %(message)s"),
}


class Log:
    """The log of a process as it is written, with a handler that is added after the protection."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self._stream.getvalue()


@pytest.fixture(params=FORMATTERS)
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    written = Log(FORMATTERS[request.param])
    logging.root.addHandler(written.handler)
    yield written
    logging.root.removeHandler(written.handler)


@pytest.fixture(params=[protect_log_of_calls, protect_log])
def protection(request: pytest.FixtureRequest) -> Any:
    request.param()


def assert_one_harmless_line(text: str, limit: int = 12 * MAX_CHARS) -> None:
    # The "dev" formatter resets the colour at the end of each line.
    text = text.removesuffix("\n").removesuffix("\x1b[0m")
    assert text
    assert len(text) < limit
    assert [character for character in text if ord(character) < 32 or 127 <= ord(character) < 160] == []
    assert len(text.splitlines()) == 1
    assert "\u202e" not in text
    text.encode()


@pytest.mark.parametrize("name", LOGGERS)
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.usefixtures("protection")
def test_name_or_topic_writes_one_line_of_bounded_length(hostile: str, name: str, log: Log) -> None:
    logging.getLogger(name).error(
        "participant %s on %r left after %d s",
        hostile,
        hostile,
        3,
        extra={"participant": hostile, "attributes": {hostile: [hostile]}},
    )
    assert_one_harmless_line(log.text, 120_000 if name == "agent_worker" else 12 * MAX_CHARS)


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.usefixtures("protection")
def test_name_that_is_part_of_the_message_writes_one_line(hostile: str, log: Log) -> None:
    logging.getLogger("livekit").error(f"uncaught error of RPC handler for {hostile}")
    assert_one_harmless_line(log.text)


@pytest.mark.usefixtures("protection")
def test_error_with_a_hostile_text_writes_no_line_of_its_own(log: Log) -> None:
    try:
        raise ValueError(HOSTILE[0])
    except ValueError:
        logging.getLogger("livekit.agents").exception("failed")
    assert [line for line in log.text.splitlines() if line.startswith('{"level": "ERROR", "message"')] == []


def test_lines_in_production_stay_json_with_the_message_and_the_fields() -> None:
    protect_log_of_calls()
    written = Log(JsonFormatter())
    logging.root.addHandler(written.handler)
    try:
        logging.getLogger("livekit").error("%s left", HOSTILE[0], extra={"room": "r\n", "seconds": 1.5})
    finally:
        logging.root.removeHandler(written.handler)
    line = json.loads(written.text)
    assert line["message"] == 'guest\\n{"level": "ERROR", "message": "the disk is full"} left'
    assert (line["level"], line["room"], line["seconds"]) == ("ERROR", "r\\n", 1.5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_TEXT)
def test_any_text_as_a_field_an_argument_or_a_message_is_written(text: str) -> None:
    protect_log_of_calls()
    written = Log(FORMATTERS["dev"])
    logging.root.addHandler(written.handler)
    try:
        logging.getLogger("livekit").error("%s", text, extra={"name_of_caller": text})
        first = written.text
        logging.getLogger("livekit").error(text or "-")
    finally:
        logging.root.removeHandler(written.handler)
    assert_one_harmless_line(first)
    assert_one_harmless_line(written.text.removeprefix(first))
