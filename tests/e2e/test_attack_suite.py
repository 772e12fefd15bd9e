"""Every attack of ``python -m tests.attack`` on a whole system with the page, as an operator would try it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from testbed.processes import free_port
from testbed.services import API_KEY, API_SECRET, Ports, agent_metrics, page_server, running
from tests.attack.__main__ import attack_all
from tests.attack.registry import ATTACKS, Target
from tests.e2e.chat import simulated_worker

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

PASSWORD = "the password of a test"


async def test_every_attack_on_a_running_system_fails(
    livekit: Ports, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "metrics"
    async with simulated_worker(tmp_path, livekit, {"METRICS_PORT": ""}) as (ports, _):
        ports = replace(ports, page=free_port())
        health, page_dir = free_port(), tmp_path / "page"
        page_dir.mkdir()
        (page_dir / "index.html").touch()
        page = page_server(
            ports, {"PAGE_PASSWORD": PASSWORD, "PAGE_HEALTH_PORT": str(health), "PAGE_DIR": str(page_dir)}
        )
        async with running([page, agent_metrics(ports.metrics, folder)], tmp_path):
            target = Target(
                page=f"http://127.0.0.1:{ports.page}",
                page_health=f"http://127.0.0.1:{health}/healthz",
                page_password=PASSWORD,
                api_key=API_KEY,
                api_secret=API_SECRET,
                metrics=ports.metrics_url,
                metrics_folder=folder,
            )
            code = await attack_all(target, list(ATTACKS))
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert printed.count(" held") == len(ATTACKS), printed
