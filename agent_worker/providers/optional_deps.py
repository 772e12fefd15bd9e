"""Packages that only one of the stacks needs, and the extra that installs them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class MissingExtraError(ImportError):
    """A stack's packages are not installed. The message says how to install them."""


@contextlib.contextmanager
def require_extra(stack: str, extra: str) -> Iterator[None]:
    """Return a context in which to import the packages of an extra.

    Args:
        stack: The stack that needs them, for the message.
        extra: The extra of the distribution ``agent-worker``.

    Raises:
        MissingExtraError: If an import fails.
    """
    try:
        yield
    except ImportError as error:
        message = f"the {stack} stack needs packages that are not installed: pip install 'agent-worker[{extra}]'"
        raise MissingExtraError(f"{message} ({error})") from error
