"""Exemplars of histograms: a bucket names the trace of its newest observation, also of a process that has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from agent_metrics.collector import FolderCollector
from agent_metrics.compat.prometheus import choose_page_encoder, exemplar_key, mmap_key
from agent_metrics.writer import _MAX_EXEMPLARS
from tests.agent_metrics.fake_processes import FakeProcess, compact_all, status_metric, total, write_key
from tests.agent_metrics.test_writer import end, start, wait_until_written

BUCKET = mmap_key("gap", "gap_bucket", ["reply", "le"], ["answer", "0.5"], "help")


def page(collector: FolderCollector, accept: str) -> str:
    registry = CollectorRegistry()
    registry.register(collector)
    encode, _ = choose_page_encoder(accept)
    return encode(registry).decode()


def exemplars(collector: FolderCollector) -> dict[str, tuple[dict[str, str], float]]:
    """Return the exemplars of buckets by their upper bounds, as a scrape of Prometheus gets them."""
    families = text_string_to_metric_families(page(collector, "application/openmetrics-text"))
    found: dict[str, Any] = {
        sample.labels["le"]: sample.exemplar for family in families for sample in family.samples if sample.exemplar
    }
    return {bound: (exemplar.labels, exemplar.value) for bound, exemplar in found.items()}


def process_with_exemplar(root: Path, trace_id: str, value: float, timestamp: float) -> FakeProcess:
    process = FakeProcess.start(root)
    process.write("histogram", "gap", value, sample="gap_sum", reply="answer")
    for bound, count in (("0.5", 1.0), ("+Inf", 0.0)):
        process.write("histogram", "gap", count, sample="gap_bucket", reply="answer", le=bound)
    write_key(process.path("exemplar"), exemplar_key(BUCKET, {"trace_id": trace_id}), value, timestamp)
    return process


def test_bucket_names_the_trace_of_its_observation_and_does_so_after_the_end_of_the_process(
    tmp_path: Path, collector: FolderCollector
) -> None:
    process = start(
        """
        gap = Histogram("gap", "help", ["reply"], buckets=(0.5, 1.0)).labels("answer")
        gap.observe(0.3, {"trace_id": "ab12"})
        gap.observe(0.7)
        gap.observe(0.4, {"trace_id": "cd34"})
        counter.inc(1, {"trace_id": "ab12"})
        """,
        tmp_path,
    )
    wait_until_written(process)
    assert exemplars(collector) == {"0.5": ({"trace_id": "cd34"}, 0.4)}
    end(process)
    compact_all(collector)
    assert exemplars(collector) == {"0.5": ({"trace_id": "cd34"}, 0.4)}
    assert "cd34" not in page(collector, "text/plain")  # this format has no exemplars
    assert status_metric(collector, "ledger_series") == 5  # the counter, and sum and three buckets
    assert [path.name for path in tmp_path.iterdir()] == ["agent-metrics"]


def test_newest_exemplar_of_all_processes_is_served_whenever_they_are_read(
    tmp_path: Path, collector: FolderCollector
) -> None:
    newest = process_with_exemplar(tmp_path, "ab12", 0.1, timestamp=200.0).die()
    compact_all(collector)
    older = process_with_exemplar(tmp_path, "cd34", 0.2, timestamp=100.0)
    assert exemplars(collector) == {"0.5": ({"trace_id": "ab12"}, 0.1)}
    write_key(older.path("exemplar"), exemplar_key(BUCKET, {"trace_id": "ef56"}), 0.3, 300.0)
    assert exemplars(collector) == {"0.5": ({"trace_id": "ef56"}, 0.3)}
    assert not newest.folder.path.exists()


def test_exemplar_from_before_the_clock_was_put_back_gives_way_to_new_ones(tmp_path: Path) -> None:
    collector = FolderCollector(tmp_path, clock=lambda: 1010.0)
    process_with_exemplar(tmp_path, "ab12", 0.1, timestamp=5000.0)
    assert exemplars(collector) == {}
    process_with_exemplar(tmp_path, "cd34", 0.2, timestamp=1005.0)
    assert exemplars(collector) == {"0.5": ({"trace_id": "cd34"}, 0.2)}
    collector.close()


def test_exemplar_that_is_just_being_written_is_left_out(tmp_path: Path, collector: FolderCollector) -> None:
    process_with_exemplar(tmp_path, "ab12", 0.0, timestamp=0.0)
    assert exemplars(collector) == {}


def test_file_of_exemplars_that_makes_no_sense_is_a_defect_and_costs_no_value(
    tmp_path: Path, collector: FolderCollector
) -> None:
    process = process_with_exemplar(tmp_path, "ab12", 0.1, timestamp=100.0)
    write_key(process.path("exemplar"), BUCKET, 0.2, 200.0)  # its help text is no JSON
    assert exemplars(collector) == {"0.5": ({"trace_id": "ab12"}, 0.1)}
    assert total(collector, "gap_count") == 1
    process.die()
    compact_all(collector)
    assert total(collector, "gap_count") == 1
    assert status_metric(collector, "files_set_aside_total", {"reason": "corrupt"}) == 1


def test_process_of_many_traces_writes_no_more_exemplars_and_goes_on_counting(
    tmp_path: Path, collector: FolderCollector
) -> None:
    process = start(
        f"""
        gap = Histogram("gap", "help", buckets=(0.5, 1.0))
        for number in range({_MAX_EXEMPLARS} + 50):
            gap.observe(0.3, {{"trace_id": f"{{number:032x}}"}})
        gap.observe(0.4, {{"trace_id": f"{{7:032x}}"}})
        """,
        tmp_path,
    )
    wait_until_written(process)
    assert exemplars(collector) == {"0.5": ({"trace_id": f"{7:032x}"}, 0.4)}
    assert total(collector, "gap_count") == _MAX_EXEMPLARS + 51
    end(process)
