"""The web application: `/metrics` in both formats, `/healthz`, and the answers while the service starts."""

from __future__ import annotations

import asyncio
import base64
import gzip
import threading
from collections.abc import Iterable
from pathlib import Path

import bcrypt
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.testclient import TestClient

from agent_metrics.collector import FolderCollector
from agent_metrics.server.app import create_app
from agent_metrics.server.service import Service
from tests.agent_metrics.fake_processes import FakeProcess
from tests.waiting import until

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def ready_service(root: Path) -> Service:
    service = Service(FolderCollector(root))
    while not service.is_ready:
        service.open()
    service.open()
    return service


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Return a client of a service with one dead process, and without compaction in the background."""
    root = tmp_path_factory.mktemp("metrics")
    process = FakeProcess.start(root)
    process.write("counter", "c", 3, sample="c_total")
    process.write("gauge_sum", "cost_total", 0.5, label='hostile "\n\\ 😀')
    process.die()
    return TestClient(create_app(ready_service(root), {}), headers={"Accept-Encoding": "identity"})


def test_prometheus_text_is_the_default(client: TestClient) -> None:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    found = {sample.name: sample for family in parse_text(response.text) for sample in family.samples}
    assert found["c_total"].value == 3
    assert found["cost_total"].labels == {"label": 'hostile "\n\\ 😀'}
    assert found["agent_metrics_processes_folded_total"].value == 1
    assert found["agent_metrics_ledger_series"].value == 2


def test_openmetrics_is_served_on_request(client: TestClient) -> None:
    response = client.get("/metrics", headers={"Accept": OPENMETRICS})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")
    assert {family.name for family in parse_openmetrics(response.text)} >= {"agent_metrics_processes_folded"}


def test_gzip_is_served_on_request(client: TestClient) -> None:
    assert b"c_total 3.0" in client.get("/metrics").content
    with client.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert b"c_total 3.0" in gzip.decompress(b"".join(response.iter_raw()))


def test_head_has_the_headers_and_no_body(client: TestClient) -> None:
    response = client.head("/metrics")
    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) > 0
    assert response.content == b""


def test_other_paths_and_methods(client: TestClient) -> None:
    assert 'href="metrics"' in client.get("/").text
    assert client.get("/healthz").text == "ok\n"
    assert client.get("/nothing").status_code == 404
    assert client.post("/metrics").status_code == 405


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
def test_no_partial_totals_are_served_before_all_dead_processes_count(path: str, tmp_path: Path) -> None:
    FakeProcess.start(tmp_path).die()
    response = TestClient(create_app(Service(FolderCollector(tmp_path)), {})).get(path)  # without compaction
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
def test_the_reason_is_served_why_the_ledger_cannot_be_opened(path: str, tmp_path: Path) -> None:
    (tmp_path / "agent-metrics" / "ledger.sqlite").mkdir(parents=True)
    service = Service(FolderCollector(tmp_path))
    service.open()
    response = TestClient(create_app(service, {})).get(path)
    assert response.status_code == 503
    assert "unable to open" in response.text


async def test_a_ledger_that_is_damaged_while_the_service_runs_pauses_it(tmp_path: Path) -> None:
    ledger = tmp_path / "agent-metrics" / "ledger.sqlite"
    ledger.mkdir(parents=True)
    service = Service(FolderCollector(tmp_path))
    service.open()
    ledger.rmdir()
    ledger.write_text("hello" * 1000)
    async with service:
        # One worker thread: this scrape runs after the slice of compaction that the service has begun with.
        await service.scrape("", compress=False)
        await service.scrape("", compress=False)
        assert "not a ledger" in (service.pause_reason or "")
        assert not service.is_ready


class SlowCollector(FolderCollector):
    """A collector whose scrapes wait until they are let through.

    Attributes:
        begun: Released once for each scrape that begins.
        may_end: Acquired once by each scrape.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.scrapes = 0

    def collect(self) -> Iterable[Metric]:
        self.scrapes += 1
        self.begun.release()
        self.may_end.acquire()
        return super().collect()


async def test_scrapes_that_arrive_before_the_folder_is_read_share_a_page_and_later_ones_share_the_next(
    tmp_path: Path,
) -> None:
    process = FakeProcess.start(tmp_path)
    process.write("gauge_liveall", "m", 1)
    collector = SlowCollector(tmp_path)
    service = Service(collector)
    first = asyncio.create_task(service.scrape("", compress=False))
    await asyncio.to_thread(collector.begun.acquire)
    later = [asyncio.create_task(service.scrape("", compress=False)) for _ in range(50)]
    impatient = asyncio.create_task(service.scrape("", compress=False))
    compressed = asyncio.create_task(service.scrape("", compress=True))
    await asyncio.sleep(0)  # all of them have arrived
    impatient.cancel()
    collector.may_end.release(3)
    pages = [page for page, _ in await asyncio.gather(*later)]
    assert all(page is pages[0] for page in pages)
    assert (await first)[0] is not pages[0]
    assert b"m{pid=" in gzip.decompress((await compressed)[0])
    assert collector.scrapes == 3
    assert impatient.cancelled()
    process.die()
    collector.close()


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
async def test_nothing_is_served_while_other_users_may_write_to_the_folder(path: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    FakeProcess.start(root).die()
    service = ready_service(root)
    root.chmod(0o777)
    client = TestClient(create_app(service, {}))  # without the compaction that the application runs
    async with service:
        await until(lambda: service.refusal)
        refused = await asyncio.to_thread(client.get, path)
        assert refused.status_code == 503
        assert "may be written by other users" in refused.text
        root.chmod(0o700)
        await until(lambda: not service.refusal)
    assert (root / "agent-metrics").is_dir()


def test_passwords_are_checked_against_their_hashes(tmp_path: Path) -> None:
    hashed = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4))
    client = TestClient(create_app(ready_service(tmp_path), {"prometheus": hashed}))

    def status(name: str, password: str) -> int:
        credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
        return client.get("/metrics", headers={"Authorization": f"Basic {credentials}"}).status_code

    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 401
    for _ in range(2):  # the second time from the cache
        assert status("prometheus", "correct horse") == 200
        assert status("prometheus", "wrong") == 401
        assert status("unknown", "correct horse") == 401
    assert status("prometheus", "x" * 100) == 401  # longer than bcrypt accepts
