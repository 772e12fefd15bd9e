"""prometheus_client's own tests of its multiprocess mode, run with our collector.

They are not in this repository: `make prometheus-client-tests` fetches the source package.
"""

from __future__ import annotations

import importlib.util
import os
import tarfile
import unittest
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from agent_metrics.collector import FolderCollector
from agent_worker.core.folders import cache_dir

NAME = f"prometheus_client-{metadata.version('prometheus-client')}"
ARCHIVE = cache_dir() / "sources" / f"{NAME}.tar.gz"

#: Tests of `merge`, which our collector does not use.
EXCLUDED = {"test_merge_no_accumulate", "test_missing_gauge_file_during_merge"}


class OurCollector(Collector):
    """Our collector, with the constructor of `MultiProcessCollector`."""

    def __init__(self, registry: CollectorRegistry, path: str | None = None) -> None:
        self._collector = FolderCollector(Path(path or os.environ["PROMETHEUS_MULTIPROC_DIR"]))
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        return self._collector.collect()


def load_suite(folder: Path) -> ModuleType:
    with tarfile.open(ARCHIVE) as archive:
        member = archive.extractfile(f"{NAME}/tests/test_multiprocess.py")
        assert member is not None
        (folder / "prometheus_client_tests.py").write_bytes(member.read())
    spec = importlib.util.spec_from_file_location("prometheus_client_tests", folder / "prometheus_client_tests.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not ARCHIVE.exists(), reason="make prometheus-client-tests fetches them; offline it cannot")
def test_prometheus_clients_own_tests_pass_with_our_collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load_suite(tmp_path)
    monkeypatch.setattr(module, "MultiProcessCollector", OurCollector)
    loader = unittest.TestLoader()
    tests = [name for name in loader.getTestCaseNames(module.TestMultiProcess) if name not in EXCLUDED]
    assert len(tests) > 20
    result = unittest.TestResult()
    unittest.TestSuite(map(module.TestMultiProcess, tests)).run(result)
    assert result.testsRun == len(tests)
    assert not result.failures + result.errors, "\n".join(trace for _, trace in result.failures + result.errors)
