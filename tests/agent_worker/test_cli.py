from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from agent_worker.app import cli
from agent_worker.providers.cloud import CLOUD
from agent_worker.providers.optional_deps import MissingExtraError, require_extra
from agent_worker.providers.self_hosted import SELF_HOSTED


@pytest.mark.parametrize(
    ("arguments", "stack", "rest"),
    [
        ([], "cloud", []),
        (["dev"], "cloud", ["dev"]),
        (["--stack", "self-hosted"], "self-hosted", []),
        (["--stack=self-hosted", "check", "--json"], "self-hosted", ["check", "--json"]),
        (["check", "--stack", "cloud"], "cloud", ["check"]),
        (["start", "--help"], "cloud", ["start", "--help"]),
        (["connect", "--room", "here"], "cloud", ["connect", "--room", "here"]),
    ],
)
def test_stack_option_is_removed_from_the_arguments(arguments: list[str], stack: str, rest: list[str]) -> None:
    assert cli.parse(arguments) == (stack, rest)


def test_every_stack_name_can_be_loaded() -> None:
    assert [cli.load_stack(name) for name in cli.STACKS] == [CLOUD, SELF_HOSTED]
    assert [stack.name for stack in (CLOUD, SELF_HOSTED)] == list(cli.STACKS)


def test_unknown_stack_is_an_error_that_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.parse(["--stack", "magic"])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert all(name in told for name in cli.STACKS)


def test_help_lists_the_commands_and_creates_no_folder(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics"
    run = subprocess.run(
        [sys.executable, "-m", "agent_worker.app.cli", "--help"],
        env={"PROMETHEUS_MULTIPROC_DIR": str(metrics)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert all(name in run.stdout for name in ("start", "check", "dev", "console", "connect", "--stack"))
    assert not metrics.exists()


def test_missing_package_error_names_the_extra() -> None:
    with (
        pytest.raises(MissingExtraError, match=r"pip install 'agent-worker\[cloud\]'"),
        require_extra("cloud", "cloud"),
    ):
        importlib.import_module("livekit.plugins.not_installed")
