"""The errors of a call. A message says what failed, where, and what to do; it contains no secret."""

from collections.abc import Sequence


class CallError(Exception):
    """Base class; `exit_code` is the exit code of the command line."""

    exit_code = 3


class InputError(CallError):
    """The call cannot be tried as asked; `problems` has one line for each problem."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class RoomError(CallError):
    """The room could not be joined, or the connection to it was lost."""

    exit_code = 3


class NoAgentError(CallError):
    """No participant of kind agent came into the room."""

    exit_code = 4
