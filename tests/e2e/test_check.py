"""The command `check` against a real LiveKit server, real plugins and real models."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from testbed.processes import free_port
from testbed.services import ROOT, Ports, running, worker, worker_env

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]

CLOUD, SELF_HOSTED = "fast-preresponse.py", "fast-preresponse-ollama.py"
NOWHERE = "http://127.0.0.1:1/v1"
KEY = "sk-a-secret-key"


async def run_check(script: str, env: Mapping[str, str], folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / script), "check", *arguments),
        env={**os.environ, **env},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


async def findings_of(script: str, env: Mapping[str, str], folder: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return the exit code, and the findings by name."""
    code, out, errors = await run_check(script, env, folder, "--json")
    assert not errors
    assert not any(secret in out for secret in (KEY, env["LIVEKIT_API_SECRET"] + "!"))
    return code, {finding["name"]: finding for finding in json.loads(out)["findings"]}


def statuses(findings: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: finding["status"] for name, finding in findings.items()}


async def test_every_check_passes_and_no_worker_is_dispatched_to_its_room(real_models: Ports, tmp_path: Path) -> None:
    env = worker_env(real_models, tmp_path / "metrics")
    async with running([worker(CLOUD, env)], tmp_path) as children:
        results = [await findings_of(script, env, tmp_path) for script in (CLOUD, SELF_HOSTED)]
        (log,) = [child.output() for child in children.values()]
    assert "registered worker" in log
    assert "received job request" not in log
    for code, findings in results:
        assert code == 0, findings
        assert set(statuses(findings).values()) <= {"ok", "note"}
        assert all(findings[f"LiveKit {what}"]["seconds"] > 0 for what in ("server", "room", "media"))
        assert findings["LiveKit new rooms"]["status"] == "ok"
    for who in ("Groq, fast model", "Groq, main model", "OpenAI, TTS", "Deepgram, STT"):
        assert results[0][1][who]["seconds"] > 0
    for stt, (_, findings) in zip(("Deepgram, STT", "speaches, STT"), results, strict=True):
        assert "help" in findings[stt]["detail"]  # the greeting, spoken by the TTS


async def test_failed_checks_name_their_settings_and_the_others_still_run(real_models: Ports, tmp_path: Path) -> None:
    env = {**worker_env(real_models, tmp_path / "metrics"), "KOKORO_BASE_URL": NOWHERE, "LIVEKIT_API_SECRET": KEY}
    code, findings = await findings_of(SELF_HOSTED, env, tmp_path)
    assert code == 1
    found = statuses(findings)
    assert (found["LiveKit server"], found["LiveKit room"], found["LiveKit media"]) == ("ok", "failed", "skipped")
    assert findings["LiveKit room"]["detail"].startswith("LIVEKIT_API_KEY, LIVEKIT_API_SECRET: ")
    assert found["Kokoro, TTS"] == "failed"
    assert "KOKORO_BASE_URL" in findings["Kokoro, TTS"]["to_do"]
    assert (found["Ollama, main model"], found["speaches, STT"]) == ("ok", "ok")


async def test_unreachable_livekit_server_is_reported_once(real_models: Ports, tmp_path: Path) -> None:
    env = {**worker_env(real_models, tmp_path / "metrics"), "LIVEKIT_URL": f"ws://127.0.0.1:{free_port()}"}
    code, findings = await findings_of(SELF_HOSTED, env, tmp_path)
    assert code == 1
    assert [name for name, status in statuses(findings).items() if status == "failed"] == ["LiveKit server"]


@pytest.mark.parametrize("script", [CLOUD, SELF_HOSTED])
async def test_bad_settings_are_listed_in_plain_text_with_exit_code_2(script: str, tmp_path: Path) -> None:
    env = {**worker_env(Ports(), tmp_path / "metrics"), "LIVEKIT_URL": "", "TURN_LOG": "some"}
    code, out, errors = await run_check(script, env, tmp_path)
    assert code == 2
    assert "LIVEKIT_URL is not set" in out
    assert "TURN_LOG is wrong" in out
    assert "\033" not in out
    assert not errors
