"""Why a call could not be made. Messages are for the user: what, where, what to do; never a secret."""

from collections.abc import Sequence


class CallError(Exception):
    """Base of all; `exit_code` is what the command line ends with."""

    exit_code = 3


class InputError(CallError):
    """The call cannot be tried as asked; `problems` has one line for each thing to mend."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class RoomError(CallError):
    """The room could not be joined, or the connection to it was lost."""

    exit_code = 3


class NoAgentError(CallError):
    """Nobody of kind agent came into the room."""

    exit_code = 4
