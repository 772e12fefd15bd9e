"""deploy/compose/upgrade, with a stand-in for docker: in which order it does what, and what stays when a step fails."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import fake_docker
from tests.files import ROOT

FOLDER = ROOT / "deploy" / "compose"


class Machine:
    """A machine on which the containers of compose.yaml run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        docker = folder / "bin" / "docker"
        docker.write_text(f'#!/bin/sh\nexec {sys.executable} {fake_docker.__file__} "$@"\n')
        docker.chmod(0o755)
        self._state = folder / "state.json"
        self.script = Path(shutil.copy(FOLDER / "upgrade", folder))

    def upgrade(self, *options: str, workers: Sequence[str] = ("a", "b"), fails: Sequence[str] = ()) -> Any:
        """Run the script; return its result. ``fails`` are patterns of docker's commands that fail."""
        images = {"agent-worker": "old", "agent-worker:previous": "older"}
        state = {"workers": dict.fromkeys(workers, "old"), "images": images, "fails": list(fails)}
        self._state.write_text(json.dumps({**state, "commands": [], "made": 0, "fewest_ready": len(workers)}))
        env = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "FAKE_DOCKER": str(self._state)}
        return subprocess.run(
            [str(self.script), *options], env=env, cwd="/", capture_output=True, text=True, check=False
        )

    def __getattr__(self, name: str) -> Any:
        return json.loads(self._state.read_text())[name]

    def position(self, pattern: str) -> int:
        """Return which of docker's commands, the first one, matches."""
        return next(number for number, command in enumerate(self.commands) if re.search(pattern, command))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("workers", [("a",), ("a", "b"), ("a", "b", "c")])
def test_each_worker_is_stopped_only_when_a_new_one_is_ready(machine: Machine, workers: tuple[str, ...]) -> None:
    result = machine.upgrade(workers=workers)
    assert result.returncode == 0, result.stderr
    assert machine.fewest_ready == len(workers)
    assert list(machine.workers.values()) == ["new"] * len(workers)
    assert machine.images["agent-worker:previous"] == "old"


def test_workers_have_the_time_to_finish_their_calls(machine: Machine) -> None:
    machine.upgrade()
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["worker"]
    seconds = 60 * int(compose["stop_grace_period"].removesuffix("m"))
    assert [command for command in machine.commands if command.startswith("stop")] == [
        f"stop -t {seconds} a",
        f"stop -t {seconds} b",
    ]


def test_ledger_is_copied_by_the_newer_version_before_anything_is_replaced(machine: Machine) -> None:
    machine.upgrade()
    build, copy = machine.position("compose build"), machine.position("agent-metrics backup -")
    assert build < copy < machine.position("up .*agent-metrics") < machine.position("--scale")
    (kept,) = (machine.folder / "backups").iterdir()
    assert kept.read_text() == "ledger"
    assert kept.stat().st_mode & 0o077 == 0
    machine.upgrade("--back")
    assert machine.position("agent-metrics backup -") < machine.position("image tag")


def test_going_back_takes_the_image_that_was_replaced(machine: Machine) -> None:
    result = machine.upgrade("--back")
    assert result.returncode == 0, result.stderr
    assert set(machine.workers.values()) == {"older"}
    assert machine.images == {"agent-worker": "older", "agent-worker:previous": "old"}
    assert not [command for command in machine.commands if "build" in command]


def test_livekit_and_redis_are_never_touched(machine: Machine) -> None:
    machine.upgrade()
    for command in machine.commands:
        assert not re.search(r"\b(livekit|redis)\b", command)
        assert "--no-deps" in command or not re.search(r"compose (up|run)", command)


@pytest.mark.parametrize(
    ("fails", "message"),
    [
        ("compose build", "nothing was changed"),
        ("agent-metrics backup", "nothing was changed"),
        ("up .*agent-metrics", "the workers are not replaced"),
        ("--scale", "the new worker was not ready and is removed; the others go on"),
    ],
)
def test_old_workers_go_on_if_a_step_fails(machine: Machine, fails: str, message: str) -> None:
    result = machine.upgrade(fails=[fails])
    assert result.returncode == 1
    assert message in result.stderr
    assert machine.workers == {"a": "old", "b": "old"}
    assert not list(machine.folder.glob("backups/*.part"))


def test_without_a_worker_or_an_earlier_image_the_remedy_is_named(machine: Machine) -> None:
    assert "docker compose up --detach --build --wait" in machine.upgrade(workers=()).stderr
    assert "no image agent-worker:previous" in machine.upgrade("--back", fails=["image inspect"]).stderr
    assert "usage" in machine.upgrade("--undo").stderr


def test_every_service_that_the_script_names_exists() -> None:
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    script = (FOLDER / "upgrade").read_text()
    named = {*re.findall(r"(?:ps --quiet|--signal SIGHUP|compose build) (\w+)", script)}
    named |= {word for words in re.findall(r"--wait ([a-z -]+)", script) for word in words.split()}
    assert named == {"agent-metrics", "canary", "grafana", "guard", "page", "prometheus", "worker"}
    assert named <= services.keys()
