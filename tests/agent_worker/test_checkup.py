"""What ``check`` finds, and how it says it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from livekit.agents import APIConnectionError, APIStatusError, APITimeoutError

from agent_metrics.service import claim
from agent_worker.app.checkup import own_files, this_machine
from agent_worker.app.checkup.errors import explain
from agent_worker.app.checkup.findings import Finding, Status, bad_setting, failed, note, ok, skipped
from agent_worker.app.checkup.providers import examine_providers
from agent_worker.app.checkup.report import Table, as_json, exit_code, summary
from agent_worker.core.settings import CloudSettings, SelfHostedSettings
from agent_worker.providers.preflight import ProviderProbe, session
from agent_worker.providers.self_hosted import SELF_HOSTED
from tests.model_server.servers import server_process

KEY = "sk-a-key-that-nobody-may-see"
PROVIDER = ProviderProbe("Groq", "llm", "http://x/v1/models", f"Bearer {KEY}", "GROQ_API_KEY", "check the network")
SIMULATION = {
    "models": ["llama3.1:8b", "llama3.3:70b", "kokoro", "Systran/faster-distil-whisper-small.en"],
    "stt": {"*": {"transcripts": ["hello how can I help you"]}},
}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics" / "worker-1"))
    (tmp_path / "metrics").mkdir()
    for name in {field.upper() for model in (CloudSettings, SelfHostedSettings) for field in model.model_fields}:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def settings(url: str = "http://127.0.0.1:1/v1", **others: object) -> SelfHostedSettings:
    addresses = dict.fromkeys(("ollama_base_url", "speaches_base_url", "kokoro_base_url"), url)
    livekit = {"livekit_url": "ws://127.0.0.1:1", "livekit_api_key": "k", "livekit_api_secret": "s" * 32}
    return SelfHostedSettings(**{**addresses, **livekit, **others})  # type: ignore[arg-type]


# --- the settings and the files ---


def test_every_bad_setting_and_file_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_URL", "nonsense")
    monkeypatch.setenv("PRICES", "/nowhere.yaml")
    read, findings = own_files.read_settings(SELF_HOSTED)
    findings += own_files.examine_files_despite_bad_settings()
    assert read is None
    assert exit_code(findings) == 2
    told = " ".join(finding.detail for finding in findings)
    assert all(name in told for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "PRICES"))


def test_misspelt_setting_in_dotenv_is_noted(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "ws://localhost:7880")
    (empty_folder / ".env").write_text("PRERESPONSE_STRATEGIE=off\nPAGE_PORT=8080\n")
    _, findings = own_files.read_settings(SELF_HOSTED)
    noted = [finding for finding in findings if finding.status is Status.NOTE]
    assert [finding.to_do for finding in noted] == ["did you mean PRERESPONSE_STRATEGY?"]
    assert "PRERESPONSE_STRATEGIE" in noted[0].detail


def test_bad_phrases_are_a_bad_setting_and_none_in_a_language_is_a_note(empty_folder: Path) -> None:
    own = empty_folder / "phrases.yaml"
    own.write_text("question: ['It costs 3 dollars.']\n")
    assert exit_code(list(own_files.examine_phrases(own, "en"))) == 2
    assert [finding.status for finding in own_files.examine_phrases(None, "ja")] == [Status.NOTE]


# --- this machine ---


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        yield listener.getsockname()[1]


def metrics_service(port: int | None) -> Finding:
    (finding,) = this_machine.examine_metrics_service(settings(metrics_port=port))
    return finding


def test_metrics_that_nobody_serves_are_noted() -> None:
    assert metrics_service(None).status is Status.NOTE


def test_running_agent_metrics_of_this_folder_is_found(empty_folder: Path, taken_port: int) -> None:
    lock = claim(empty_folder / "metrics")
    assert lock is not None
    try:
        assert metrics_service(None).status is Status.OK
        assert metrics_service(taken_port).status is Status.OK
    finally:
        os.close(lock)
    assert metrics_service(None).status is Status.NOTE  # it has ended


def test_metrics_port_that_somebody_else_has_is_a_failure(taken_port: int) -> None:
    assert metrics_service(taken_port).status is Status.FAILED
    assert "METRICS_PORT" in metrics_service(taken_port).detail


def test_folder_without_room_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_free(free: float) -> Status:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
        return this_machine.examine_metrics_folder().status

    assert [with_free(free) for free in (1e6, 1e8, 1e10)] == [Status.FAILED, Status.NOTE, Status.OK]


async def test_worker_port_of_something_else_is_a_failure(taken_port: int) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as http:
        finding = await this_machine.examine_worker_port(http, taken_port)
    assert finding.status is Status.FAILED
    assert "WORKER_PORT" in finding.detail


async def test_worker_that_runs_already_is_a_note() -> None:
    async def worker(_: web.Request) -> web.Response:
        return web.json_response({"agent_name": "", "worker_type": "JT_ROOM"})

    app = web.Application()
    app.router.add_get("/worker", worker)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        finding = await this_machine.examine_worker_port(http, runner.addresses[0][1])
    await runner.cleanup()
    assert finding.status is Status.NOTE


# --- the providers ---


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A simulated provider of everything."""
    file = tmp_path_factory.mktemp("simulation") / "simulation.json"
    file.write_text(json.dumps(SIMULATION))
    with server_process("--simulated", str(file)) as server:
        yield server.v1


async def examined(chosen: SelfHostedSettings) -> dict[str, Finding]:
    async with session() as http:
        return {finding.name: finding async for finding in examine_providers(http, SELF_HOSTED, chosen)}


async def test_each_part_gets_a_real_request_and_the_stt_hears_the_tts(models: str) -> None:
    found = await examined(settings(models))
    assert [*found] == ["Ollama, fast model", "Ollama, main model", "Kokoro, TTS", "speaches, STT"]
    assert {finding.status for finding in found.values()} == {Status.OK}
    assert all(finding.seconds for finding in found.values())
    assert "hello how can I help you" in found["speaches, STT"].detail


async def test_unknown_model_and_provider_that_is_down_do_not_keep_the_others_from_being_asked(models: str) -> None:
    found = await examined(settings(models, ollama_main_model="huge", kokoro_base_url="http://127.0.0.1:1/v1"))
    assert found["Ollama, LLM"].status is Status.FAILED
    assert found["Ollama, LLM"].to_do == "run `ollama pull huge`"
    assert "does not answer" in found["Kokoro, TTS"].detail
    assert found["speaches, STT"].status is Status.OK  # hears a recording instead


async def test_wrong_key_is_told_and_not_shown() -> None:
    with server_process("--simulated", "default", "--api-key", "right") as server:
        found = await examined(settings(server.v1, kokoro_api_key=KEY, speaches_api_key="right"))
    assert "KOKORO_API_KEY" in found["Kokoro, TTS"].detail
    assert found["speaches, STT"].status is Status.OK
    assert KEY not in as_json("x", list(found.values()))


async def test_voice_that_is_not_understood_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "mute.json").write_text('{"stt": {"*": {"transcripts": [""]}}, "llm": {"*": {"replies": [" "]}}}')
    with server_process("--simulated", str(tmp_path / "mute.json")) as server:
        found = await examined(settings(server.v1))
    assert found["speaches, STT"].status is Status.FAILED
    assert "LANGUAGE" in found["speaches, STT"].to_do


@pytest.mark.parametrize(
    ("error", "detail", "to_do"),
    [
        (APIStatusError("x", status_code=401, body={"message": KEY}), "GROQ_API_KEY", ".env"),
        (APIStatusError("x", status_code=429, body={"message": "slow\ndown\x1b[31m"}), "429: slow down [31m", "limits"),
        (APIStatusError("x", status_code=400, body={"message": f"no voice for {KEY}"}), "no voice for …", "voice"),
        (APIStatusError(f"x {KEY}", status_code=503, body=KEY), "HTTP 503", "log"),
        (APIConnectionError(f"x {KEY}"), "no answer", "check the network"),
        (APITimeoutError(), "no answer in time", "check the network"),
        (asyncio.TimeoutError(), "no answer in time", "check the network"),
        (RuntimeError(KEY), "RuntimeError", "log"),
    ],
)
def test_error_of_a_plugin_says_what_to_do_and_no_secret(error: Exception, detail: str, to_do: str) -> None:
    told = explain(error, PROVIDER, settings(kokoro_api_key=KEY))
    assert detail in told[0]
    assert to_do in told[1]
    assert KEY not in " ".join(told)


# --- the report ---

FINDINGS = [ok("a", "fine", 0.1234), note("b", "odd", "Look at it"), failed("c", "gone", "get it"), skipped("d", "c")]


def shown(out: io.StringIO) -> str:
    table = Table(out)
    for finding in FINDINGS:
        table.add(finding)
    table.end(FINDINGS)
    return out.getvalue()


def test_table_has_a_row_each_and_what_to_do_below_it() -> None:
    lines = shown(io.StringIO()).splitlines()
    assert lines[0].split() == ["ok", "a", "0.123", "s", "fine"]
    assert lines[2].strip() == "To do: look at it"
    assert lines[3].split() == ["failed", "c", "gone"]


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\033[" in shown(Terminal())
    assert "\033[" not in shown(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033[" not in shown(Terminal())


def test_exit_code_tells_bad_settings_from_what_failed() -> None:
    assert exit_code(FINDINGS[:2]) == 0
    assert exit_code(FINDINGS) == 1
    assert exit_code([*FINDINGS, bad_setting("settings", "X is not set")]) == 2
    assert summary(FINDINGS[:2]) == "all is well, with 1 note(s)"


def test_json_has_every_finding() -> None:
    told = json.loads(as_json("cloud", FINDINGS))
    assert (told["stack"], told["ok"], told["exit_code"]) == ("cloud", False, 1)
    assert told["findings"][0] == {"name": "a", "status": "ok", "seconds": 0.123, "detail": "fine", "to_do": ""}
    assert [finding["status"] for finding in told["findings"]] == ["ok", "note", "failed", "skipped"]
