"""Checks of the Dockerfile that need no build. tests/e2e/test_image.py runs a built image."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_worker.turn_taking import smart_turn
from tests.files import ROOT, tracked

DOCKERFILE = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
ALLOWED = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
COPIED = [
    source
    for arguments in re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.MULTILINE)
    for source in arguments.split()[:-1]
]
FINAL_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")}


@pytest.mark.parametrize("path", COPIED)
def test_copied_file_exists_and_is_not_ignored(path: str) -> None:
    assert any(file == ROOT / path or ROOT / path in file.parents for file in tracked()), path
    assert any(path == allowed or path.startswith(f"{allowed}/") for allowed in ALLOWED), f"!{path} in .dockerignore"


def test_dockerignore_admits_only_what_is_copied() -> None:
    assert (ROOT / ".dockerignore").read_text().split("\n")[1] == "*"
    for allowed in ALLOWED:
        assert any(path == allowed or path.startswith(f"{allowed}/") for path in COPIED), allowed


def test_image_has_every_package_that_it_imports() -> None:
    copied = {path for path in COPIED if path in PACKAGES}
    scripts = [ROOT / path for path in COPIED if path.endswith(".py")]
    for file in [*scripts, *(path for package in copied for path in (ROOT / package).rglob("*.py"))]:
        needed = {name.partition(".")[0] for name in imported(file)} & PACKAGES
        assert needed <= copied, f"{file.relative_to(ROOT)} imports {needed - copied}"


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_base_images_are_pinned_and_have_a_supported_python() -> None:
    images = dict(re.findall(r"^ARG (\w+_IMAGE)=(.*)$", DOCKERFILE, re.MULTILINE))
    assert all(re.search(r":\d+\.\d+\.\d+-", image) for image in images.values()), images
    assert set(re.findall(r"^FROM \$\{(\w+)\}", DOCKERFILE, re.MULTILINE)) == images.keys()
    version = re.search(r":3\.(\d+)\.", images["PYTHON_IMAGE"])
    assert version
    assert 'requires-python = ">=3.10,<3.14"' in (ROOT / "pyproject.toml").read_text()
    assert 10 <= int(version[1]) <= 13


def test_packages_come_from_the_lock_or_with_their_hash() -> None:
    installs = re.findall(r"pip install.*", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in install for install in installs)
    assert "uv sync --frozen" in DOCKERFILE
    for name in ("uv.txt", "node.txt"):
        requirements = (ROOT / "scripts" / name).read_text().split("\n\n")
        assert "--hash=sha256:" in requirements[0]


def test_turn_records_have_the_version_of_the_package_and_are_in_the_log_without_words() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"ARG VERSION={version[1]}\n" in FINAL_STAGE
    assert "AGENT_WORKER_VERSION=$VERSION" in FINAL_STAGE
    assert "TURN_LOG=timing" in FINAL_STAGE


def test_in_kubernetes_the_sidecar_serves_metrics_instead_of_the_worker() -> None:
    assert "METRICS_PORT=9100" in FINAL_STAGE
    assert '{name: METRICS_PORT, value: ""}' in (ROOT / "deploy" / "kubernetes" / "base" / "worker.yaml").read_text()


def test_metrics_are_in_a_runtime_folder_of_the_user_and_reachable_from_outside_the_container() -> None:
    settings = dict(re.findall(r"\b(METRICS_HOST|PROMETHEUS_MULTIPROC_DIR)=(\S+)", FINAL_STAGE))
    assert settings["METRICS_HOST"] == "0.0.0.0"
    folder = Path(settings["PROMETHEUS_MULTIPROC_DIR"])
    assert folder.parent == Path("/run/agent-worker")
    assert re.search(rf"mkdir -p [^&]*{folder}\s", FINAL_STAGE)
    assert re.search(rf"chown -R agent:agent [^&]*{folder.parent}\s", FINAL_STAGE)
    assert re.search(rf"chmod -R go= {folder.parent}\s", FINAL_STAGE)


def test_image_runs_as_an_unprivileged_user_under_an_init_process() -> None:
    assert re.search(r"^USER [1-9]\d+$", FINAL_STAGE, re.MULTILINE)
    assert 'ENTRYPOINT ["tini", "--",' in FINAL_STAGE
    assert "HEALTHCHECK" in FINAL_STAGE


@pytest.mark.parametrize(
    ("command", "run"),
    [
        (["fast-preresponse-ollama.py", "start"], "python fast-preresponse-ollama.py start"),
        (["agent-metrics", "--port", "9101"], "python -m agent_metrics --port 9101"),
        (["canary"], "python -m caller.canary"),
        (["page"], "python -m page_server"),
        (["python", "-m", "caller", "--text", "two words"], "python -m caller --text two words"),
    ],
)
def test_first_argument_selects_the_program(tmp_path: Path, command: list[str], run: str) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "python $*"\n')
    python.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    entrypoint = ROOT / "deploy" / "image" / "entrypoint"
    result = subprocess.run([entrypoint, *command], env=env, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == run


@pytest.mark.slow
def test_packages_have_the_models_and_download_nothing() -> None:
    if not smart_turn.weights_path().is_file():
        pytest.skip(f"no weights of smart-turn: {smart_turn.REMEDY}")
    check = ROOT / "deploy" / "image" / "check_models.py"
    result = subprocess.run([sys.executable, check], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "models found" in result.stdout


def test_documented_containers_on_the_network_of_the_host_serve_metrics_on_loopback_only() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"--network host([^`]*)`", text):
            if "agent-worker" in match[1] or page.name == "docker.md":
                assert "METRICS_HOST=127.0.0.1" in match[1], f"{page.name}: {match[0]}"
