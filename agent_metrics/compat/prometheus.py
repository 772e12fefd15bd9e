"""Internals of prometheus_client: its value classes and the format of its multiprocess files.

No other module imports ``prometheus_client.values``, ``prometheus_client.mmap_dict`` or anything undocumented. The
version is pinned; ``tests/agent_metrics/test_prometheus_compat.py`` checks each assumption made here, and names what to
check when another version is installed.

The file format (``prometheus_client/mmap_dict.py``): a native int32 with the used length in bytes, 4 bytes of padding,
then entries: int32 key length, the key as UTF-8, spaces up to a multiple of 8, two float64 (value and timestamp). The
key is JSON: ``[metric name, sample name, {label: value}, help text]``.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import struct
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from prometheus_client import values
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

__all__ = [
    "VERIFIED_VERSION",
    "DefectiveFileError",
    "MetricWrapperBase",
    "MmapedDict",
    "MultiprocessValue",
    "PreallocatedFile",
    "choose_page_encoder",
    "exemplar_key",
    "format_float",
    "in_memory_values",
    "install_value_class",
    "installed_value_class",
    "is_gzip_accepted",
    "label_names",
    "mmap_key",
    "new_multiprocess_value_class",
    "read_values",
]

#: The version of prometheus_client that this module was last compared with.
VERIFIED_VERSION = "0.26.0"

_HEADER_BYTES = 8
_LENGTH_BYTES = 4
_NUMBERS_BYTES = 16


# --- value classes ---


class MultiprocessValue:
    """Base of a value class: one float of a metric, constructed by prometheus_client's metrics.

    Attributes:
        kind: The prefix of the file where the value belongs, for example ``counter`` or ``gauge_livesum``.
        key: The key of the value in that file.
    """

    _multiprocess = True  # part of the interface of value classes

    def __init__(
        self,
        typ: str,
        metric_name: str,
        name: str,
        labelnames: Sequence[str],
        labelvalues: Sequence[str],
        help_text: str,
        multiprocess_mode: str = "",
        **_: Any,
    ) -> None:
        self.kind = f"{typ}_{multiprocess_mode}" if typ == "gauge" else typ
        self.key = mmap_key(metric_name, name, list(labelnames), list(labelvalues), help_text)

    def set_exemplar(self, exemplar: Exemplar) -> None:
        """Ignore the exemplar."""

    def get_exemplar(self) -> None:
        """Return no exemplar."""
        return None


def installed_value_class() -> type:
    """Return the class that metrics use for their values when they are made."""
    value_class: type = values.ValueClass
    return value_class


def install_value_class(value_class: type) -> None:
    """Have metrics that are made from now on use ``value_class`` for their values."""
    values.ValueClass = value_class


def new_multiprocess_value_class() -> type:
    """Return prometheus_client's own value class of its multiprocess mode, to compare with."""
    value_class: type = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    return value_class


@contextlib.contextmanager
def in_memory_values() -> Iterator[None]:
    """Have metrics that are made inside the block keep their values in memory, whatever class is installed."""
    before = installed_value_class()
    install_value_class(values.MutexValue)
    try:
        yield
    finally:
        install_value_class(before)


def exemplar_key(bucket_key: str, labels: Mapping[str, str]) -> str:
    """Return the key of an exemplar: that of its bucket, with the exemplar's labels in place of the help text."""
    metric, sample, bucket_labels, _ = json.loads(bucket_key)
    key: str = mmap_key(metric, sample, list(bucket_labels), list(bucket_labels.values()), json.dumps(labels))
    return key


# --- value files ---


class DefectiveFileError(Exception):
    """A value file cannot be read to its end.

    Attributes:
        defect: ``truncated`` if the file is shorter than it claims to be, else ``corrupt``.
    """

    def __init__(self, defect: Literal["truncated", "corrupt"]) -> None:
        super().__init__(defect)
        self.defect = defect


def read_values(descriptor: int, size_bytes: int) -> Iterator[tuple[str, float, float]]:
    """Yield key, value and timestamp of each entry of a value file, up to its first defect.

    Args:
        descriptor: The file, open at its beginning. It is not empty, and stays open.
        size_bytes: Its size.

    Raises:
        DefectiveFileError: At the first defect.
        OSError: If the file cannot be read.
    """
    last_position = 0
    try:
        # It passes its argument to `open`, which takes descriptors too and closes them.
        entries = MmapedDict.read_all_values_from_file(os.dup(descriptor))  # type: ignore[no-untyped-call]
        for key, value, timestamp, position in entries:
            if position <= last_position:  # a negative key length leads backwards, and into an endless loop
                raise DefectiveFileError("corrupt")
            last_position = position
            yield key, value, timestamp
    except struct.error:
        raise DefectiveFileError("truncated") from None
    except (RuntimeError, ValueError):  # a key length beyond the end; a key that is not UTF-8
        raise DefectiveFileError("truncated" if _claimed_bytes(descriptor) > size_bytes else "corrupt") from None


def _claimed_bytes(descriptor: int) -> int:
    return int.from_bytes(os.pread(descriptor, _LENGTH_BYTES, 0), sys.byteorder, signed=True)


class PreallocatedFile:
    """A value file whose bytes are all allocated on disk before they are mapped.

    Writing to a hole of a mapped file on a full disk raises SIGBUS, which kills the process. ``MmapedDict`` alone makes
    such holes: it truncates the file to a larger size.

    Raises:
        OSError: If the first page cannot be allocated.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: set[str] = set()
        self._used_bytes = _HEADER_BYTES
        self._capacity_bytes = 0
        self._allocate(mmap.PAGESIZE)
        self._dict = MmapedDict(str(path))  # type: ignore[no-untyped-call]

    def add(self, key: str) -> None:
        """Make room for a key, unless it has it.

        The file grows as ``MmapedDict`` expects it to: it doubles when the next entry does not fit.

        Raises:
            OSError: If the disk is full.
        """
        if key in self._keys:
            return
        key_bytes = len(key.encode())
        padding_bytes = 8 - (key_bytes + _LENGTH_BYTES) % 8
        entry_bytes = _LENGTH_BYTES + key_bytes + padding_bytes + _NUMBERS_BYTES
        capacity_bytes = self._capacity_bytes
        while self._used_bytes + entry_bytes > capacity_bytes:
            capacity_bytes *= 2
        self._allocate(capacity_bytes)
        self._dict.read_value(key)  # type: ignore[no-untyped-call]
        self._used_bytes += entry_bytes
        self._keys.add(key)

    def __contains__(self, key: str) -> bool:
        """Whether a key was added."""
        return key in self._keys

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._keys)

    def read(self, key: str) -> float:
        """Return the value of a key that was added."""
        value: float = self._dict.read_value(key)[0]  # type: ignore[no-untyped-call]
        return value

    def write(self, key: str, value: float, timestamp: float) -> None:
        """Write value and timestamp (seconds since the epoch; 0 for none) of a key that was added."""
        self._dict.write_value(key, value, timestamp)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Unmap and close the file."""
        self._dict.close()  # type: ignore[no-untyped-call]

    def _allocate(self, capacity_bytes: int) -> None:
        try:
            with open(self._path, "ab", opener=_open_private) as file:
                file.write(bytes(capacity_bytes - self._capacity_bytes))
        except OSError:
            # Undo a partial write: MmapedDict doubles the size that it finds, which has to be the size known here.
            with contextlib.suppress(OSError):
                os.truncate(self._path, self._capacity_bytes)
            raise
        self._capacity_bytes = capacity_bytes


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


# --- exposition ---


def choose_page_encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """Return the function that renders a collector, and its content type, for an ``Accept`` header."""
    return choose_encoder(accept)


def is_gzip_accepted(accept_encoding: str) -> bool:
    """Return whether an ``Accept-Encoding`` header accepts gzip."""
    return gzip_accepted(accept_encoding)


def label_names(metric: MetricWrapperBase) -> tuple[str, ...]:
    """Return the names of a metric's labels. The public API tells them only through a series."""
    return tuple(metric._labelnames)


def format_float(value: float) -> str:
    """Return a float as prometheus_client writes bucket bounds, for example ``+Inf`` or ``1e+06``."""
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return text
