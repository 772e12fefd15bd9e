"""What is known about one thing that a conversation depends on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    OK = "ok"
    NOTE = "note"  #: works, but you may not have meant it
    FAILED = "failed"
    SKIPPED = "skipped"  #: cannot be known before something else is put right

    __str__ = str.__str__


@dataclass(frozen=True)
class Finding:
    """One row of the table.

    Attributes:
        name: What was looked at.
        detail: What was found. Never a secret, nor what somebody said to the agent.
        to_do: What to do about it, if anything.
        seconds: How long it took, where that says something.
        is_setting: It is what the user wrote that is wrong.
    """

    name: str
    status: Status
    detail: str
    to_do: str = ""
    seconds: float | None = None
    is_setting: bool = False


def ok(name: str, detail: str, seconds: float | None = None) -> Finding:
    return Finding(name, Status.OK, detail, seconds=seconds)


def note(name: str, detail: str, to_do: str) -> Finding:
    return Finding(name, Status.NOTE, detail, to_do)


def failed(name: str, detail: str, to_do: str) -> Finding:
    return Finding(name, Status.FAILED, detail, to_do)


def bad_setting(name: str, detail: str) -> Finding:
    return Finding(name, Status.FAILED, detail, is_setting=True)


def skipped(name: str, why: str) -> Finding:
    return Finding(name, Status.SKIPPED, why)
