"""``python -m tests.attack`` finds what is open in a system that protects nothing, and says what it did not try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from tests.attack.__main__ import attack_all, main
from tests.attack.registry import ATTACKS, Target


@pytest_asyncio.fixture
async def open_page() -> AsyncIterator[str]:
    """A page that grants everything to everyone and sends no security headers."""

    async def grant(_: web.Request) -> web.Response:
        return web.json_response({"url": "ws://127.0.0.1:1", "token": "x", "room": "x"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", grant)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("name", ["foreign-site", "dns-rebinding", "no-password", "script-injection"])
async def test_attack_succeeds_on_a_page_without_protection(
    open_page: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await attack_all(Target(page=open_page, page_password="x"), [name]) == 1
    assert "BROKEN: " in capsys.readouterr().out


def test_folder_that_others_may_write_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    assert asyncio.run(attack_all(Target(metrics_folder=folder), ["metrics-folder"])) == 0
    (folder / "p-0").symlink_to("/etc")
    assert asyncio.run(attack_all(Target(metrics_folder=folder), ["metrics-folder"])) == 1
    assert "is a symbolic link" in capsys.readouterr().out
    (folder / "p-0").unlink()
    folder.chmod(0o775)
    assert asyncio.run(attack_all(Target(metrics_folder=folder), ["metrics-folder"])) == 1
    assert "may be written by other users" in capsys.readouterr().out


def test_attack_without_what_it_needs_is_reported_as_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ATTACKS)
    assert all("not tried: needs " in line for line in lines)


def test_unknown_attack_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no-such-attack"])
    assert "no attack no-such-attack" in capsys.readouterr().err
