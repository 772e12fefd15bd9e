"""Give memory that is free again back to the system; glibc keeps it for the next time, and there may be none."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def return_freed_memory() -> None:
    """Do so where the C library is glibc."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other libraries, other systems
        ctypes.CDLL(None).malloc_trim(0)
