from __future__ import annotations

import asyncio
import io
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from livekit.agents import APIConnectionError, APIStatusError, APITimeoutError, llm

from agent_metrics.storage.folder import acquire_service_lock
from agent_worker.app.checkup import local
from agent_worker.app.checkup.livekit_server import check_new_rooms
from agent_worker.app.checkup.provider_errors import explain
from agent_worker.app.checkup.providers import check_providers, time_first_word
from agent_worker.app.checkup.report import Table, as_json, exit_code, summary, supports_color
from agent_worker.core.check_result import CheckResult, Status, failed, invalid_setting, note, ok, skipped
from agent_worker.core.progress import REASONING_CHARS_KEY
from agent_worker.core.settings import CloudSettings, SelfHostedSettings
from agent_worker.providers.preflight import ProviderProbe, http_session
from agent_worker.providers.self_hosted import SELF_HOSTED
from agent_worker.providers.stack import StackDefinition
from agent_worker.testing import ScriptedLLM
from tests.agent_worker.test_session_meter import a_stack
from tests.model_server.servers import server_process

KEY = "sk-a-key-that-nobody-may-see"
THINKING = llm.ChoiceDelta(role="assistant", extra={REASONING_CHARS_KEY: 20})
PROBE = ProviderProbe("Groq", "llm", "http://x/v1/models", f"Bearer {KEY}", "GROQ_API_KEY", "check the network")
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


def test_all_invalid_settings_and_files_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_URL", "nonsense")
    read, results = local.read_settings(SELF_HOSTED)
    results += local.check_files_without_settings({"PRICES": "/nowhere.yaml"})
    assert read is None
    assert exit_code(results) == 2
    details = " ".join(result.detail for result in results)
    assert all(name in details for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "PRICES"))


def test_misspelt_setting_in_dotenv_is_noted(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "ws://localhost:7880")
    (empty_folder / ".env").write_text("PRERESPONSE_STRATEGIE=off\nPAGE_PORT=8080\n")
    _, results = local.read_settings(SELF_HOSTED)
    (misspelt,) = [result for result in results if result.status is Status.NOTE]
    assert misspelt.remedy == "did you mean PRERESPONSE_STRATEGY?"
    assert "PRERESPONSE_STRATEGIE" in misspelt.detail


def test_model_without_a_list_price_is_noted(empty_folder: Path) -> None:
    definition = StackDefinition("own", SelfHostedSettings, lambda _: a_stack(), lambda _: [])
    notes = [result for result in local.check_files(definition, settings()) if result.status is Status.NOTE]
    named = [result.detail.split()[0] for result in notes if result.name == "prices"]
    assert named == ["groq/unknown", "deepgram/unknown", "openai/unknown"]


def test_invalid_phrases_are_an_invalid_setting(empty_folder: Path) -> None:
    overrides = empty_folder / "phrases.yaml"
    overrides.write_text("question: ['It costs 3 dollars.']\n")
    assert exit_code(list(local.check_phrases(overrides, "en"))) == 2


def test_language_without_phrases_is_noted() -> None:
    assert [result.status for result in local.check_phrases(None, "ja")] == [Status.NOTE]


# --- this machine ---


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_detector_that_decides_without_smart_turn_is_noted_with_the_remedy(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_WORKER_CACHE", str(empty_folder))
    monkeypatch.setattr("sys.prefix", str(empty_folder))
    result = local.check_deciders(settings())
    assert result.status is Status.NOTE
    assert "TURN_DETECTOR=fused: v1-mini, the words and the silence" in result.detail
    assert "scripts/get smart-turn" in result.remedy
    mini = local.check_deciders(settings(turn_detector="livekit-mini"))
    assert (mini.status, mini.detail) == (Status.OK, "TURN_DETECTOR=livekit-mini: v1-mini")
    assert local.check_deciders(settings(smart_turn_path=empty_folder / "none.onnx")).invalid_setting


def test_metrics_without_a_service_are_noted() -> None:
    assert local.check_metrics_service(None).status is Status.NOTE


def test_running_agent_metrics_of_the_folder_is_found_until_it_ends(empty_folder: Path, taken_port: int) -> None:
    lock = acquire_service_lock(empty_folder / "metrics")
    assert lock is not None
    try:
        assert local.check_metrics_service(None).status is Status.OK
        assert local.check_metrics_service(taken_port).status is Status.OK
    finally:
        os.close(lock)
    assert local.check_metrics_service(None).status is Status.NOTE


def test_metrics_port_of_another_program_is_a_failure(taken_port: int) -> None:
    result = local.check_metrics_service(taken_port)
    assert result.status is Status.FAILED
    assert "METRICS_PORT" in result.detail


@pytest.mark.parametrize(("free_bytes", "status"), [(1e6, Status.FAILED), (1e8, Status.NOTE), (1e10, Status.OK)])
def test_metrics_folder_needs_free_space(free_bytes: float, status: Status) -> None:
    assert local.check_free_space(Path("/"), free_bytes).status is status


async def test_worker_port_of_another_program_is_a_failure(taken_port: int) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as http:  # it never answers
        result = await local.check_worker_port(http, taken_port)
    assert result.status is Status.FAILED
    assert "WORKER_PORT" in result.detail


async def test_running_worker_on_the_port_is_noted() -> None:
    async def worker(_: web.Request) -> web.Response:
        return web.json_response({"agent_name": "", "worker_type": "JT_ROOM"})

    app = web.Application()
    app.router.add_get("/worker", worker)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        result = await local.check_worker_port(http, runner.addresses[0][1])
    await runner.cleanup()
    assert result.status is Status.NOTE


# --- the LiveKit server ---


@pytest.mark.parametrize(
    ("answer", "page_rooms_only", "status", "part"),
    [
        (404, False, Status.OK, "auto_create: false"),
        (200, True, Status.OK, "page only"),
        (200, False, Status.NOTE, "makes a room for whoever joins"),
        (502, False, Status.NOTE, "HTTP 502"),
    ],
)
async def test_server_that_makes_rooms_for_whoever_joins_is_noted_unless_the_worker_refuses_them(
    answer: int, page_rooms_only: bool, status: Status, part: str
) -> None:
    rooms = []

    async def validate(request: web.Request) -> web.Response:
        rooms.append(request.headers["Authorization"])
        return web.Response(status=answer)

    app = web.Application()
    app.router.add_get("/rtc/validate", validate)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as http:
        result = await check_new_rooms(http, settings(livekit_url=url, worker_page_rooms_only=page_rooms_only))
    await runner.cleanup()
    assert (result.status, len(rooms)) == (status, 1)
    assert part in result.detail
    assert status is not Status.NOTE or answer != 200 or "WORKER_PAGE_ROOMS_ONLY" in result.remedy


# --- the providers ---


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server that simulates the provider of every component."""
    file = tmp_path_factory.mktemp("simulation") / "simulation.json"
    file.write_text(json.dumps(SIMULATION))
    with server_process("--simulated", str(file)) as server:
        yield server.v1


async def check(chosen: SelfHostedSettings) -> dict[str, CheckResult]:
    async with http_session() as http:
        return {result.name: result async for result in check_providers(http, SELF_HOSTED, chosen)}


async def test_each_component_gets_a_request_and_the_stt_hears_the_tts(models: str) -> None:
    found = await check(settings(models))
    assert [*found] == ["Ollama, fast model", "Ollama, main model", "Kokoro, TTS", "speaches, STT"]
    assert {result.status for result in found.values()} == {Status.OK}
    assert all(result.seconds for result in found.values())
    assert "hello how can I help you" in found["speaches, STT"].detail


async def test_other_components_are_checked_after_a_missing_model_and_a_provider_that_is_down(models: str) -> None:
    found = await check(settings(models, ollama_main_model="huge", kokoro_base_url="http://127.0.0.1:1/v1"))
    assert found["Ollama, LLM"].status is Status.FAILED
    assert found["Ollama, LLM"].remedy == "run `ollama pull huge`"
    assert "does not answer" in found["Kokoro, TTS"].detail
    assert found["speaches, STT"].status is Status.OK  # hears a recording instead


@pytest.mark.parametrize(
    ("pieces", "limit_s", "status", "detail"),
    [
        (["Yes."], 60.0, Status.OK, "first token"),
        ([THINKING, "Yes."], 60.0, Status.OK, "first word, behind its reasoning"),
        ([THINKING, "Yes."], 0.0, Status.NOTE, "reasoned for"),
        ([THINKING, THINKING], 60.0, Status.FAILED, "reasoned and said nothing"),
        ([], 60.0, Status.FAILED, "said nothing"),
    ],
)
async def test_model_that_reasons_is_told_from_others(
    pieces: list[Any], limit_s: float, status: Status, detail: str
) -> None:
    result = await time_first_word("model", ScriptedLLM(*pieces), llm.ChatContext.empty(), limit_s)
    assert result.status is status
    assert detail in result.detail
    assert ("reasoning-models.md" in result.remedy) == (status is not Status.OK and bool(pieces))


async def test_wrong_key_is_reported_without_the_key() -> None:
    with server_process("--simulated", "default", "--api-key", "right") as server:
        found = await check(settings(server.v1, kokoro_api_key=KEY, speaches_api_key="right"))
    assert "KOKORO_API_KEY" in found["Kokoro, TTS"].detail
    assert found["speaches, STT"].status is Status.OK
    assert KEY not in as_json("x", list(found.values()))


async def test_empty_transcript_of_the_tts_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "mute.json").write_text('{"stt": {"*": {"transcripts": [""]}}, "llm": {"*": {"replies": [" "]}}}')
    with server_process("--simulated", str(tmp_path / "mute.json")) as server:
        found = await check(settings(server.v1))
    assert found["speaches, STT"].status is Status.FAILED
    assert "LANGUAGE" in found["speaches, STT"].remedy


@pytest.mark.parametrize(
    ("error", "detail", "remedy"),
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
def test_error_of_a_plugin_is_explained_without_a_secret(error: Exception, detail: str, remedy: str) -> None:
    result = explain("Groq, LLM", error, PROBE, settings(kokoro_api_key=KEY))
    assert detail in result.detail
    assert remedy in result.remedy
    assert KEY not in repr(result)


# --- the report ---

RESULTS = [ok("a", "fine", 0.1234), note("b", "odd", "look at it"), failed("c", "gone", "get it"), skipped("d", "c")]


def table(*, in_color: bool = False) -> str:
    out = io.StringIO()
    rows = Table(out, in_color=in_color)
    for result in RESULTS:
        rows.add(result)
    rows.end(RESULTS)
    return out.getvalue()


def test_table_has_a_row_for_each_result_with_its_remedy_below() -> None:
    lines = table().splitlines()
    assert lines[0].split() == ["ok", "a", "0.123", "s", "fine"]
    assert lines[2].strip() == "To do: look at it"
    assert lines[3].split() == ["failed", "c", "gone"]


def test_table_in_color_has_ansi_escapes() -> None:
    assert "\033[" in table(in_color=True)
    assert "\033[" not in table()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("out", "environment", "expected"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_color_is_for_terminals_that_support_it(out: io.StringIO, environment: dict[str, str], expected: bool) -> None:
    assert supports_color(out, environment) is expected


def test_exit_code_is_2_for_invalid_settings_and_1_for_other_failures() -> None:
    assert exit_code(RESULTS[:2]) == 0
    assert exit_code(RESULTS) == 1
    assert exit_code([*RESULTS, invalid_setting("settings", "X is not set")]) == 2
    assert summary(RESULTS[:2]) == "all is well, with 1 note(s)"


def test_json_has_every_result() -> None:
    told = json.loads(as_json("cloud", RESULTS))
    assert (told["stack"], told["ok"], told["exit_code"]) == ("cloud", False, 1)
    assert told["findings"][0] == {"name": "a", "status": "ok", "seconds": 0.123, "detail": "fine", "to_do": ""}
    assert [row["status"] for row in told["findings"]] == ["ok", "note", "failed", "skipped"]
