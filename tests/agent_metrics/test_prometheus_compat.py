"""What `agent_metrics/compat/prometheus.py` assumes of prometheus_client's internals.

Each failure names what to check. When all checks pass with a new version, set `VERIFIED_VERSION` to it.
"""

from __future__ import annotations

import inspect
import os
import re
import struct
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, values

from agent_metrics.compat import prometheus
from tests.files import ROOT, tracked

COMPAT = "agent_metrics/compat/prometheus.py"
INTERNALS = re.compile(
    r"prometheus_client(?:\.| import )\(?[\w, ]*\b(?:values|mmap_dict|exposition|metrics|utils)\b"
    r"|ValueClass|_multiprocess\b|_labelnames\b"
)


def test_the_installed_version_is_the_verified_one() -> None:
    installed = metadata.version("prometheus-client")
    assert installed == prometheus.VERIFIED_VERSION, (
        f"prometheus_client {installed} is installed and {COMPAT} was verified with {prometheus.VERIFIED_VERSION}. "
        "Compare values.py, mmap_dict.py, multiprocess.py and metrics.py of both versions, run this file and "
        "`pytest -m 'slow or not slow' tests/agent_metrics`, measure `python -m benchmarks.metric_events`, then change "
        "VERIFIED_VERSION and the pin in pyproject.toml."
    )


def test_the_pin_is_exact() -> None:
    pin = re.search(r'"prometheus-client(\S+)"', (ROOT / "pyproject.toml").read_text())
    assert pin is not None
    assert pin[1] == f"=={prometheus.VERIFIED_VERSION}", "pin prometheus-client exactly: its file format is internal"


def test_no_other_module_touches_internals() -> None:
    ours = [path for path in tracked() if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts]
    users = {str(path.relative_to(ROOT)) for path in ours if INTERNALS.search(path.read_text())}
    assert users == {COMPAT}, f"move what these need of prometheus_client's internals to {COMPAT}"


class RecordedValue(prometheus.MultiprocessValue):
    made: list[RecordedValue] = []  # noqa: RUF012

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.options = options
        self.total = 0.0
        self.made.append(self)

    def inc(self, amount: float) -> None:
        self.total += amount

    def set(self, value: float, timestamp: float | None = None) -> None:
        self.total = value

    def get(self) -> float:
        return self.total


def test_metrics_look_up_the_value_class_when_they_are_made() -> None:
    before = prometheus.installed_value_class()
    RecordedValue.made.clear()
    prometheus.install_value_class(RecordedValue)
    try:
        registry = CollectorRegistry()
        Counter("c", "help", registry=registry).inc(exemplar={"trace": "1"})
        Gauge("g", "help", registry=registry, multiprocess_mode="livesum").set(2)
        Summary("s", "help", registry=registry).observe(3)
        Histogram("h", "help", ["label"], buckets=[1], registry=registry).labels("x").observe(4)
    finally:
        prometheus.install_value_class(before)
    made = {(value.kind, value.key): value.total for value in RecordedValue.made}
    assert made == {
        ("counter", '["c", "c_total", {}, "help"]'): 1,
        ("gauge_livesum", '["g", "g", {}, "help"]'): 2,
        ("summary", '["s", "s_count", {}, "help"]'): 1,
        ("summary", '["s", "s_sum", {}, "help"]'): 3,
        ("histogram", '["h", "h_sum", {"label": "x"}, "help"]'): 4,
        ("histogram", '["h", "h_bucket", {"label": "x", "le": "1.0"}, "help"]'): 0,
        ("histogram", '["h", "h_bucket", {"label": "x", "le": "+Inf"}, "help"]'): 1,
    }, "metrics.py makes its values in another way: check values.ValueClass and the arguments of MultiprocessValue"


@pytest.mark.parametrize("theirs", [values.MutexValue, prometheus.new_multiprocess_value_class()])
def test_value_classes_have_the_known_interface(theirs: type) -> None:
    constructor = inspect.signature(theirs)
    assert list(constructor.parameters)[:6] == [
        "typ",
        "metric_name",
        "name",
        "labelnames",
        "labelvalues",
        "help_text",
    ], "values.py: the constructor of value classes has changed; check MultiprocessValue.__init__"
    public = {name for name in vars(theirs) if not name.startswith("_")} - {"close_all_files"}
    assert public == {"inc", "set", "get", "set_exemplar", "get_exemplar"}, (
        "values.py: value classes have other methods; check agent_metrics.writer.FileValue"
    )
    assert hasattr(theirs, "_multiprocess"), "values.py: value classes no longer have `_multiprocess`; remove ours"


def test_values_in_memory_stay_in_memory_whatever_class_is_installed() -> None:
    before = prometheus.installed_value_class()
    prometheus.install_value_class(RecordedValue)
    RecordedValue.made.clear()
    try:
        with prometheus.in_memory_values():
            Counter("c", "help", registry=None).inc()
        assert RecordedValue.made == []
        assert prometheus.installed_value_class() is RecordedValue
    finally:
        prometheus.install_value_class(before)


def entry(key: bytes, value: float, timestamp: float) -> bytes:
    padding = b" " * (8 - (len(key) + 4) % 8)
    return struct.pack("i", len(key)) + key + padding + struct.pack("dd", value, timestamp)


def test_a_value_file_has_the_known_bytes(tmp_path: Path) -> None:
    path = tmp_path / "counter_1.db"
    file = prometheus.MmapedDict(str(path))
    file.write_value("a", 1.5, 2.5)
    file.write_value("long key é", 3.5, 0.0)
    file.close()
    entries = entry(b"a", 1.5, 2.5) + entry("long key é".encode(), 3.5, 0.0)
    expected = struct.pack("i", 8 + len(entries)) + bytes(4) + entries
    assert path.read_bytes()[: len(expected)] == expected, (
        "mmap_dict.py: the file format has changed. Files of the version before have to stay readable: check "
        "read_values, PreallocatedFile and the format in docs/agent-metrics.md"
    )


def test_a_preallocated_file_is_what_mmaped_dict_would_write(tmp_path: Path) -> None:
    theirs, ours = prometheus.MmapedDict(str(tmp_path / "theirs")), prometheus.PreallocatedFile(tmp_path / "ours")
    for number in range(500):
        key = f"key {number} {'é' * (number % 9)}"
        ours.add(key)
        ours.write(key, number, number / 2)
        theirs.write_value(key, number, number / 2)
        assert ours.read(key) == number
    theirs.close()
    ours.close()
    written, expected = ((tmp_path / name).read_bytes() for name in ("ours", "theirs"))
    used = struct.unpack("i", expected[:4])[0]
    assert written[:used] == expected[:used], "mmap_dict.py: MmapedDict writes other bytes; check PreallocatedFile.add"
    assert used < len(written) < 2 * used, "mmap_dict.py: MmapedDict grows in another way; check PreallocatedFile.add"


def read(path: Path) -> list[tuple[str, float, float]]:
    with path.open("rb") as file:
        return list(prometheus.read_values(file.fileno(), path.stat().st_size))


def test_reading_yields_every_entry(tmp_path: Path) -> None:
    path = tmp_path / "counter_1.db"
    file = prometheus.PreallocatedFile(path)
    for key in ("a", "b"):
        file.add(key)
        file.write(key, 1.5, 2.5)
    file.close()
    assert read(path) == [("a", 1.5, 2.5), ("b", 1.5, 2.5)]


@pytest.mark.parametrize(
    ("content", "defect"),
    [
        (b"\x01", "truncated"),
        (struct.pack("i", 4096) + bytes(4) + entry(b"a", 1, 0), "truncated"),
        (struct.pack("i", 40) + bytes(4) + struct.pack("i", 1000) + bytes(28), "corrupt"),
        (struct.pack("i", 40) + bytes(4) + entry(b"\xff", 1, 0) + bytes(8), "corrupt"),
        (struct.pack("i", 64) + bytes(4) + entry(b"a", 1, 0) + struct.pack("i", -32) + bytes(28), "corrupt"),
    ],
)
def test_defects_are_recognised(content: bytes, defect: str, tmp_path: Path) -> None:
    path = tmp_path / "counter_1.db"
    path.write_bytes(content)
    with pytest.raises(prometheus.DefectiveFileError) as caught:
        read(path)
    assert caught.value.defect == defect, "mmap_dict.py: defective files raise other errors; check read_values"


def test_label_names_are_known_without_a_series() -> None:
    counter = Counter("c", "help", ["a", "b"], registry=None)
    assert prometheus.label_names(counter) == ("a", "b"), "metrics.py: MetricWrapperBase has no `_labelnames`"


def test_pages_are_encoded_as_the_client_asks() -> None:
    _, text = prometheus.choose_page_encoder("")
    _, openmetrics = prometheus.choose_page_encoder("application/openmetrics-text; version=1.0.0")
    assert (text.split(";")[0], openmetrics.split(";")[0]) == ("text/plain", "application/openmetrics-text")
    assert prometheus.is_gzip_accepted("br, gzip")
    assert not prometheus.is_gzip_accepted("identity")


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.5"), (1.0, "1.0"), (1e6, "1e+06"), (float("inf"), "+Inf")])
def test_bucket_bounds_are_written_as_go_does(value: float, text: str) -> None:
    assert prometheus.format_float(value) == text


def test_the_writer_is_installed_before_the_first_metric_in_a_new_process(tmp_path: Path) -> None:
    """`import prometheus_client` reads PROMETHEUS_MULTIPROC_DIR; the writer replaces what it chose."""
    code = (
        "from agent_metrics import writer; writer.install()\n"
        "from prometheus_client import Counter; Counter('c', 'help').inc(); import os; print(os.getpid())"
    )
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    (file,) = tmp_path.rglob("*.db")
    assert file.parent.name.startswith("p-"), "values.py: another value class was used"
    assert result.stdout.strip() not in file.name
