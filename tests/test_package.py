"""The package built, installed into an empty environment, and run there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from agent_worker.core.folders import cache_dir
from tests.files import ROOT, tracked

pytestmark = pytest.mark.slow

UV = shutil.which("uv") or str(cache_dir() / "uv" / "bin" / "uv")
SHIPPED = ("agent_metrics", "agent_worker", "call_guard", "caller", "http_service", "page_server")
CLOUD_PLUGINS, LOCAL_PLUGINS = {"deepgram", "groq", "openai"}, {"openai"}


class Environment:
    """An empty virtual environment outside of the sources."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run(UV, "venv", "--quiet", "--python", sys.executable, str(folder / "venv"))

    def install(self, *what: str) -> None:
        # The locked version of each package, from uv's cache where it has it.
        constraints = ("--constraint", str(ROOT / "requirements.txt"))
        run(UV, "pip", "install", "--quiet", "--python", str(self.bin("python")), *constraints, *what)

    def bin(self, name: str) -> Path:
        return self.folder / "venv" / "bin" / name

    def run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        keep = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        env = {**keep, "PROMETHEUS_MULTIPROC_DIR": str(self.folder / "metrics")}
        return subprocess.run(
            [str(self.bin(name)), *arguments], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )

    def plugins(self) -> set[str]:
        (folder,) = (self.folder / "venv").glob("lib/python*/site-packages/livekit/plugins")
        return {path.name for path in folder.iterdir() if path.is_dir()}


def run(*command: str) -> None:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def build(what: str, folder: Path) -> Path:
    run(UV, "build", "--quiet", f"--{what}", "--out-dir", str(folder))
    (built,) = (path for path in folder.iterdir() if path.suffix in (".whl", ".gz"))
    return built


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return build("wheel", tmp_path / "dist")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def test_wheel_has_all_files_of_its_packages_and_no_others(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    assert names == shipped()


def test_sdist_has_the_sources_of_the_wheel_and_no_tests(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path / "dist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= shipped() | {"pyproject.toml", "README.md", "LICENSE"}
    assert not [name for name in names if name.startswith(("tests/", "web/", "docs/"))]


def shipped() -> set[str]:
    return {str(path.relative_to(ROOT)) for path in tracked(*(f"{package}/*" for package in SHIPPED))}


def test_without_an_extra_the_agent_can_be_imported_and_a_stack_names_the_missing_extra(
    environment: Environment, wheel: Path
) -> None:
    environment.install(str(wheel))
    imported = environment.run("python", "-c", "from agent_worker.preresponse.agent import PreResponseAgent")
    assert imported.returncode == 0, imported.stderr
    for command in ("agent-worker", "agent-metrics", "caller"):
        helped = environment.run(command, "--help")
        assert helped.returncode == 0, helped.stderr
        assert helped.stdout.startswith(f"usage: {command} ")
    for stack, extra in (("cloud", "cloud"), ("self-hosted", "local")):
        refused = environment.run("agent-worker", "--stack", stack, "check")
        assert refused.returncode == 2
        assert f"pip install 'agent-worker[{extra}]'" in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("extra", "stack", "plugins"), [("cloud", "cloud", CLOUD_PLUGINS), ("local", "self-hosted", LOCAL_PLUGINS)]
)
def test_extra_installs_what_its_stack_needs(
    environment: Environment, wheel: Path, extra: str, stack: str, plugins: set[str]
) -> None:
    environment.install(f"{wheel}[{extra}]")
    assert environment.plugins() == plugins
    checked = environment.run("agent-worker", "--stack", stack, "check")
    assert checked.returncode == 2  # the stack is complete; its settings are missing
    assert "LIVEKIT_URL is not set" in checked.stdout


def test_requirements_txt_is_enough_for_both_scripts(environment: Environment) -> None:
    """Install as the README describes, but with uv instead of pip: the same file, with its hashes checked."""
    environment.install("--require-hashes", "--requirements", str(ROOT / "requirements.txt"))
    for script in ("fast-preresponse.py", "fast-preresponse-ollama.py"):
        started = environment.run("python", str(ROOT / script))
        assert started.returncode == 2
        assert "LIVEKIT_URL is not set" in started.stderr
    imports = "import agent_metrics.__main__, caller.__main__, page_server.__main__"
    imported = environment.run("python", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {imports}")
    assert imported.returncode == 0, imported.stderr
