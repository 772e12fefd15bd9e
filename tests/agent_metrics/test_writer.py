"""Processes that write with `agent_metrics.writer`, observed from outside."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from agent_metrics.collector import FolderCollector
from agent_metrics.storage.folder import ProcessFolder, is_alive
from tests.agent_metrics.fake_processes import compact_all, status_metric, total

PREAMBLE = """
import os, sys
from pathlib import Path
from agent_metrics import writer
writer.install(Path(sys.argv[1]))
from prometheus_client import Counter, Gauge, Histogram, Summary
counter = Counter("c", "help", ["label"]).labels("x")
"""


def start(code: str, root: Path, **options: object) -> subprocess.Popen[str]:
    """Start a process that installs the writer, runs the code, and ends when its stdin does."""
    source = PREAMBLE + textwrap.dedent(code) + "\nos.write(1, b'written\\n')\nsys.stdin.read()"
    process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
        [sys.executable, "-c", source, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    return process


def wait_until_written(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"


def end(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return errors


def test_metrics_of_all_types_are_written_and_outlive_the_process(tmp_path: Path, collector: FolderCollector) -> None:
    process = start(
        """
        counter.inc(2)
        Gauge("g", "help", multiprocess_mode="livesum").set(3)
        Gauge("newest", "help", multiprocess_mode="mostrecent").set(4)
        Summary("s", "help").observe(5)
        Histogram("h", "help", buckets=[1, 10]).observe(6)
        """,
        tmp_path,
    )
    wait_until_written(process)
    compact_all(collector)
    names = ("c_total", "newest", "s_sum", "s_count", "h_sum", "h_count")
    assert [total(collector, name) for name in (*names, "g")] == [2, 4, 5, 1, 6, 1, 3]
    assert status_metric(collector, "processes_living") == 1
    end(process)
    compact_all(collector)
    assert [total(collector, name) for name in (*names, "g")] == [2, 4, 5, 1, 6, 1, None]
    assert [path.name for path in tmp_path.iterdir()] == ["agent-metrics"]


def test_a_forked_child_has_its_own_files_and_does_not_hold_its_parents_lock(
    tmp_path: Path, collector: FolderCollector
) -> None:
    process = start(
        """
        counter.inc(1)
        if os.fork():
            os.write(1, b"written\\n")
            os._exit(0)  # the child lives on without its parent
        counter.inc(10)
        assert counter._value.get() == 10
        """,
        tmp_path,
    )
    wait_until_written(process)
    wait_until_written(process)
    process.wait()
    compact_all(collector)
    assert total(collector, "c_total") == 11
    assert status_metric(collector, "processes_living") == 1
    assert status_metric(collector, "processes_folded_total") == 1
    end(process)
    compact_all(collector)
    assert total(collector, "c_total") == 11
    assert status_metric(collector, "processes_living") == 0


def test_a_fork_while_another_thread_counts_does_not_hang_the_child(tmp_path: Path, collector: FolderCollector) -> None:
    process = start(
        """
        import threading
        def count():
            for _ in range(20000):
                counter.inc()
        threads = [threading.Thread(target=count) for _ in range(2)]
        [thread.start() for thread in threads]
        for _ in range(20):
            if not os.fork():
                counter.inc()
                os._exit(0)
            os.wait()
        [thread.join() for thread in threads]
        """,
        tmp_path,
    )
    wait_until_written(process)
    end(process)
    compact_all(collector)
    assert total(collector, "c_total") == 40_020


def test_a_subprocess_does_not_hold_the_lock_of_its_parent(tmp_path: Path, collector: FolderCollector) -> None:
    process = start(
        """
        import subprocess
        counter.inc()
        print(subprocess.Popen(["sleep", "1000"], close_fds=False, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL).pid, flush=True)
        """,
        tmp_path,
    )
    assert process.stdout is not None
    program = int(process.stdout.readline())
    wait_until_written(process)
    end(process)
    try:
        compact_all(collector)
        assert status_metric(collector, "processes_folded_total") == 1
    finally:
        os.kill(program, 9)


def test_a_process_that_called_exec_counts_as_dead(tmp_path: Path, collector: FolderCollector) -> None:
    process = start("counter.inc(); os.execvp('sleep', ['sleep', '1000'])", tmp_path)
    while not list(tmp_path.glob("p-*/counter*")) or is_alive(next(tmp_path.glob("p-*"))):
        assert process.poll() is None
    compact_all(collector)
    assert total(collector, "c_total") == 1
    process.kill()
    process.communicate()


def test_a_process_whose_folder_cannot_be_made_counts_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    process = start("counter.inc(3); assert counter._value.get() == 3; assert writer.problem()", tmp_path / "file")
    wait_until_written(process)
    errors = end(process)
    assert errors.count("not written") == 1
    assert "Traceback" not in errors


def test_a_full_disk_does_not_stop_the_process(tmp_path: Path, collector: FolderCollector) -> None:
    """Existing series go on in the file; series without room are kept in memory."""
    limit = 20_000

    process = start(
        """
        counter.inc(1)
        many = Counter("many", "help", ["label"])
        for number in range(500):
            many.labels(str(number)).inc()
        Gauge("g", "help", multiprocess_mode="max").set(1)
        counter.inc(1)
        assert many.labels("499")._value.get() == 1
        """,
        tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    wait_until_written(process)
    assert end(process).count("not written") == 1
    compact_all(collector)
    assert total(collector, "c_total") == 2
    assert total(collector, "g") == 1


def test_a_removed_lock_is_reported_with_the_next_series(tmp_path: Path) -> None:
    process = start(
        """
        next(Path(sys.argv[1]).glob("p-*/lock")).unlink()
        counter.inc(1)
        assert writer.problem() is None
        for number in range(10):
            Counter(f"other_{number}", "help").inc()
        assert "lock" in writer.problem()
        """,
        tmp_path,
    )
    wait_until_written(process)
    assert end(process).count("was removed") == 1


def test_value_files_have_no_holes(tmp_path: Path) -> None:
    process = start(
        """
        for number in range(500):
            Counter(f"many_{number}", "help" * 20).inc()
        """,
        tmp_path,
    )
    wait_until_written(process)
    (file,) = tmp_path.glob("p-*/counter_*.db")
    assert file.stat().st_blocks * 512 >= file.stat().st_size > 2**16
    end(process)


@pytest.mark.parametrize("limit", [2_000, 6_000])
def test_value_files_have_no_holes_after_a_partial_write(limit: int, tmp_path: Path) -> None:
    process = start(
        f"""
        import resource
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, hard))
        gauge = Gauge("g", "help", ["number"], multiprocess_mode="sum")
        for number in range(100):
            gauge.labels(number)
        (file,) = Path(sys.argv[1]).glob("p-*/gauge_sum_*.db")
        assert file.stat().st_size in (0, 4096)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        for number in range(500):
            gauge.labels(f"after {{number}}")
        """,
        tmp_path,
    )
    wait_until_written(process)
    (file,) = tmp_path.glob("p-*/gauge_sum_*.db")
    assert file.stat().st_size in (2**15, 2**16)
    assert file.stat().st_blocks * 512 >= file.stat().st_size
    end(process)


def test_livekits_removal_of_files_does_not_affect_process_folders(tmp_path: Path, collector: FolderCollector) -> None:
    process = start("counter.inc()", tmp_path)
    wait_until_written(process)
    for path in tmp_path.iterdir():  # as livekit.agents.AgentServer.run() does
        if path.is_file():
            path.unlink()
    assert total(collector, "c_total") == 1
    end(process)


def test_a_process_folder_is_never_visible_without_its_lock(tmp_path: Path) -> None:
    starter = os.fork()
    if not starter:
        while True:
            ProcessFolder(tmp_path)
    try:
        while len(seen := list(tmp_path.glob("p-*"))) < 200:
            assert all(is_alive(folder) for folder in seen[-20:])
    finally:
        os.kill(starter, 9)
        os.waitpid(starter, 0)
    assert not any(is_alive(folder) for folder in tmp_path.glob("p-*"))


def test_a_process_folder_can_be_made_while_its_parent_is_removed_again_and_again(tmp_path: Path) -> None:
    """A thousand times as often as the service removes it."""
    worker = tmp_path / "worker-1"
    remover = os.fork()
    if not remover:
        while True:
            for path in (*tmp_path.glob("worker-1/.p-*"), worker):
                with contextlib.suppress(OSError):
                    path.rename(path.with_name(".swept-1")) if path is not worker else path.rmdir()
            time.sleep(0.001)
    try:
        for _ in range(50):
            folder = ProcessFolder(worker)
            assert is_alive(folder.path)
            for path in (folder.path / "lock", folder.path):
                path.unlink() if path.is_file() else path.rmdir()
            folder.release()
    finally:
        os.kill(remover, 9)
        os.waitpid(remover, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="a pid namespace needs root")
def test_two_containers_with_the_same_pids_can_share_a_folder(tmp_path: Path, collector: FolderCollector) -> None:
    code = PREAMBLE + "counter.inc(5); print(os.getpid(), flush=True); sys.stdin.read()"
    command = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-c", code, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    containers = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    pids = [container.stdout.readline() for container in containers]
    if not all(pids):
        pytest.skip("unshare is not allowed here")
    assert pids == ["1\n", "1\n"]
    assert total(collector, "c_total") == 10
    containers[0].communicate()
    compact_all(collector)
    assert total(collector, "c_total") == 10
    assert status_metric(collector, "processes_living") == 1
    containers[1].communicate()
    compact_all(collector)
    assert total(collector, "c_total") == 10
