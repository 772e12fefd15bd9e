"""Packages that only one of the stacks needs: which extra brings them?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class MissingExtraError(ImportError):
    """A stack's packages are not installed. The message says how to install them."""


@contextlib.contextmanager
def require_extra(stack: str, extra: str) -> Iterator[None]:
    """Import in this what the extra brings.

    Raises:
        MissingExtraError: If it is not there.
    """
    try:
        yield
    except ImportError as error:
        message = f"the {stack} stack needs packages that are not there: pip install 'agent-worker[{extra}]' ({error})"
        raise MissingExtraError(message) from error
