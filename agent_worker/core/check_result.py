"""The result of checking one thing that a conversation depends on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    """How a check ended. The values are part of the JSON that ``check --json`` prints."""

    OK = "ok"
    NOTE = "note"  #: works, but may not be what the user meant
    FAILED = "failed"
    SKIPPED = "skipped"  #: cannot be checked before another failure is repaired

    __str__ = str.__str__


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes:
        name: What was checked.
        status: How it ended.
        detail: What was found. Never a secret, nor what a caller said.
        remedy: What to do about it, in the imperative and without a full stop; empty if there is nothing to do.
        seconds: How long the measured part took, if that is of interest.
        transient: Whether the failure may disappear without the user, such as a server that is still starting.
        invalid_setting: Whether a setting, or a file that one names, cannot be used.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""
    seconds: float | None = None
    transient: bool = False
    invalid_setting: bool = False


def ok(name: str, detail: str, seconds: float | None = None) -> CheckResult:
    """Return the result of a check that found nothing wrong."""
    return CheckResult(name, Status.OK, detail, seconds=seconds)


def note(name: str, detail: str, remedy: str) -> CheckResult:
    """Return the result of a check that found something to look at."""
    return CheckResult(name, Status.NOTE, detail, remedy)


def failed(name: str, detail: str, remedy: str, *, transient: bool = False) -> CheckResult:
    """Return the result of a check that failed."""
    return CheckResult(name, Status.FAILED, detail, remedy, transient=transient)


def invalid_setting(name: str, detail: str) -> CheckResult:
    """Return the result of reading a setting, or a file that one names, which cannot be used."""
    return CheckResult(name, Status.FAILED, detail, invalid_setting=True)


def skipped(name: str, reason: str) -> CheckResult:
    """Return the result of a check that was not run."""
    return CheckResult(name, Status.SKIPPED, reason)
