"""Protect the log of a process from what the members of a room write: names, topics, attributes, payloads.

It covers every logger, livekit's and the root logger included, and every handler.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from agent_worker.core.compat.livekit import redact
from agent_worker.core.compat.stdlib_logging import filter_records
from agent_worker.core.log import logger

#: Of a message, each of its arguments and each field. A name or a topic may have thousands of characters.
MAX_CHARS = 1_000
#: The same for this project's own lines: ``TURN_LOG=full`` writes whole answers.
MAX_OWN_CHARS = 20_000

#: Control characters, which begin lines and change the terminal's colour; separators of lines; characters that reverse
#: the direction of text; surrogates, which cannot be encoded.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Set on a cleaned record, which may be sent to the worker's process with its traceback as part of the message.
_CLEAN_MARK = "_agent_worker_clean"


def protect_log_of_calls() -> None:
    """Protect the log of a call's process: names and topics become harmless, and nothing quotes the caller or agent."""
    filter_records(_keep_in_call)


def protect_log() -> None:
    """Protect the log of another process, which handles names and no words: the texts of errors stay."""
    filter_records(clean)


def _keep_in_call(record: logging.LogRecord) -> bool:
    return hasattr(record, _CLEAN_MARK) or (redact(record) and clean(record))


def clean(record: logging.LogRecord) -> bool:
    """Make a record in place a single line of bounded length, without control characters. Every record passes."""
    limit = MAX_OWN_CHARS if record.name.partition(".")[0] == logger.name else MAX_CHARS
    if not hasattr(record, _CLEAN_MARK):
        _clean_message(record, limit)
        _clean_error(record, limit)
        setattr(record, _CLEAN_MARK, True)
    # Always: on its way to the worker's process, livekit-agents adds fields such as the name of the room.
    for field in vars(record).keys() - _STANDARD_FIELDS:
        setattr(record, field, _clean_field(getattr(record, field), limit))
    return True


def one_line(text: str, max_chars: int = MAX_CHARS) -> str:
    """Return the beginning of a text as one line: unsafe characters are escaped as in a Python literal."""
    shown = _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text[:max_chars])
    return shown if len(text) <= max_chars else f"{shown}…"


def _clean_message(record: logging.LogRecord, limit: int) -> None:
    if isinstance(record.msg, Mapping):  # livekit's JSON formatter takes it for the fields
        record.msg = _clean_field(record.msg, limit)
    elif record.args:
        if isinstance(record.args, Mapping):
            record.args = {name: _clean_argument(value, limit) for name, value in record.args.items()}
        else:
            record.args = tuple(_clean_argument(value, limit) for value in record.args)
        record.msg = _escape(str(record.msg))
    else:
        record.msg = one_line(str(record.msg), limit)


def _escape(template: str) -> str:
    return one_line(template, len(template))


def _clean_argument(value: object, limit: int) -> object:
    return value if value is None or isinstance(value, (bool, int, float)) else one_line(str(value), limit)


def _clean_field(value: object, limit: int) -> object:
    if isinstance(value, Mapping):
        return {one_line(str(name), limit): _clean_field(inner, limit) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean_field(inner, limit) for inner in value]
    return _clean_argument(value, limit)


def _clean_error(record: logging.LogRecord, limit: int) -> None:
    """Replace an error with unsafe text by one with the same text in one line. Its causes are not shown then."""
    if not record.exc_info or record.exc_info[1] is None:
        return
    _, error, traceback = record.exc_info
    if any(_UNSAFE.search(str(one)) or len(str(one)) > limit for one in _with_causes(error)):
        text = one_line(f"{type(error).__name__}: {error}", limit)
        record.exc_info = (Exception, Exception(text), traceback)


def _with_causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
