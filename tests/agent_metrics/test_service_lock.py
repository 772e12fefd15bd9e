"""Locks: which processes live, and which service has the folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from agent_metrics.storage.folder import ServiceLockError, acquire_service_lock, is_alive, is_served
from tests.agent_metrics.fake_processes import FakeProcess


def test_a_folder_is_served_while_a_service_holds_its_lock(tmp_path: Path) -> None:
    assert not is_served(tmp_path)
    lock = acquire_service_lock(tmp_path)
    assert lock is not None
    assert is_served(tmp_path)
    with pytest.raises(ServiceLockError, match="another agent-metrics serves"):
        acquire_service_lock(tmp_path)
    os.close(lock)
    assert not is_served(tmp_path)
    again = acquire_service_lock(tmp_path)
    assert again is not None
    os.close(again)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_folder_where_locks_do_not_work_is_refused_and_its_processes_live(number: int, tmp_path: Path) -> None:
    process = FakeProcess.start(tmp_path).die()

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(ServiceLockError, match="flock"):
        acquire_service_lock(tmp_path, flock)
    assert is_alive(process.folder.path, flock)
    assert not is_alive(process.folder.path)
