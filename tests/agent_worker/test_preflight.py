from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from agent_worker.core.settings import BadSettingsError, Settings
from agent_worker.providers.preflight import ProviderProbe, check

SETTINGS = Settings(livekit_url="ws://127.0.0.1:1", livekit_api_key="k", livekit_api_secret="s", worker_port=0)  # type: ignore[arg-type]


@pytest.fixture
async def provider_url() -> AsyncIterator[str]:
    """Run an OpenAI-style provider with one model, `maker/small`, and one key, `right`."""

    async def model(request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bearer right":
            return web.json_response({"error": {"message": "wrong key"}}, status=401)
        name = request.match_info["name"]
        return web.json_response({"id": name}, status=200 if name == "maker/small" else 404)

    app = web.Application()

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []})

    app.router.add_get("/v1/models/{name:.*}", model)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


def probe(url: str, key: str = "right", model: str = "maker/small") -> ProviderProbe:
    return ProviderProbe(
        name="Groq",
        component="llm",
        url=url,
        authorization=f"Bearer {key}",
        key_setting="GROQ_API_KEY",
        unreachable_remedy="check the network",
        models=(("GROQ_FAST_MODEL", model),),
        missing_model_remedy="pull {model}",
    )


async def test_provider_that_accepts_key_and_model_passes(provider_url: str) -> None:
    await check(SETTINGS, [probe(f"{provider_url}/models")], with_livekit=False)


async def test_refused_keys_and_missing_models_are_reported_at_once(provider_url: str) -> None:
    url = f"{provider_url}/models"
    with pytest.raises(BadSettingsError) as caught:
        await check(SETTINGS, [probe(url, key="wr0ng"), probe(url, model="huge")], with_livekit=False)
    refused, unknown = caught.value.problems
    assert refused == f"GROQ_API_KEY: Groq at {url} refuses this key: put the right one into .env or the environment"
    assert unknown == f"GROQ_FAST_MODEL: Groq at {url} has no model 'huge': pull huge"


async def test_service_that_does_not_answer_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await check(SETTINGS, [probe("http://127.0.0.1:1/v1/models")], with_livekit=True)
    assert "Groq at http://127.0.0.1:1/v1/models does not answer" in caplog.text
    assert "the LiveKit server at ws://127.0.0.1:1 does not answer" in caplog.text


async def test_wrong_base_url_is_not_reported_as_a_missing_model(
    provider_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await check(SETTINGS, [probe(f"{provider_url}/oops/models")], with_livekit=False)
    assert "check its base URL" in caplog.text


async def test_worker_port_in_use_is_an_error() -> None:
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        port = listener.getsockname()[1]
        taken = SETTINGS.model_copy(update={"worker_port": port})
        with pytest.raises(BadSettingsError, match=f"WORKER_PORT: cannot listen on port {port}"):
            await check(taken, [], with_livekit=False)
