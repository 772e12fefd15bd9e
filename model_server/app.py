"""The ASGI application: routes, API keys, error responses, limits."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_server.backends import Backends, BadInputError, UnknownModelError
from model_server.deepgram_api import PROJECTS_PATH, DeepgramAPI
from model_server.deepgram_stream import CLIENT_TIMEOUT_S
from model_server.faults import Faults
from model_server.openai_api import OpenAIAPI, bad_input, error_response, unknown_model
from model_server.simulation import SimulatedBackends, SimulationConfig

MAX_BODY_BYTES = 25 * 1024 * 1024
"""OpenAI's own limit for an upload."""


def create_app(
    backends: Backends,
    api_key: str | None = None,
    *,
    client_timeout_s: float = CLIENT_TIMEOUT_S,
    now: Callable[[], float] = time.monotonic,
) -> Starlette:
    """Return the application.

    Args:
        backends: The models to serve.
        api_key: The only accepted key. None: every request is accepted.
        client_timeout_s: How long a live transcription waits for a message of its client.
        now: The clock that live transcriptions are billed by.
    """
    openai, deepgram = OpenAIAPI(backends), DeepgramAPI(backends.stt, api_key, client_timeout_s)
    faults = Faults(now) if backends.mode == "simulated" else None

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "mode": backends.mode, "models": backends.listed()})

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/v1/models", openai.models),
            Route("/v1/models/{name:path}", openai.model),
            Route("/v1/chat/completions", openai.chat_completions, methods=["POST"]),
            Route(PROJECTS_PATH, deepgram.projects),
            Route("/v1/audio/transcriptions", openai.transcriptions, methods=["POST"]),
            Route("/v1/audio/speech", openai.speech, methods=["POST"]),
            WebSocketRoute("/v1/listen", deepgram.listen),
            WebSocketRoute("/v2/listen", deepgram.listen_flux),
            *(faults.routes if faults else ()),
            *([_config_route(backends)] if isinstance(backends, SimulatedBackends) else ()),
        ],
        middleware=[
            Middleware(_RequestId),
            Middleware(_APIKey, api_key=api_key),
            Middleware(_BodyLimit),
            *([Middleware(faults.middleware)] if faults else ()),
        ],
        exception_handlers={
            BadInputError: bad_input,
            UnknownModelError: unknown_model,
            HTTPException: _http_error,
            ClientDisconnect: _client_disconnected,
            Exception: _server_error,
        },
    )


def _config_route(backends: SimulatedBackends) -> Route:
    async def configure(request: Request) -> Response:
        try:
            backends.configure(SimulationConfig.model_validate_json(await request.body()))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadInputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        return Response(status_code=204)

    return Route("/simulated/config", configure, methods=["PUT"])


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_response(error.status_code, error.detail)


def _client_disconnected(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nginx's number for the same case; the client is gone


def _server_error(request: Request, error: Exception) -> Response:
    return error_response(500, "The server had an error while processing your request.")


class _RequestId:
    """Adds OpenAI's header x-request-id, without which its clients log warnings."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = f"req_{secrets.token_hex(16)}"
            await send(message)

        await self._app(scope, receive, send_with_id if scope["type"] == "http" else send)


class _APIKey:
    """Refuses requests without the key."""

    def __init__(self, app: ASGIApp, api_key: str | None) -> None:
        self._app = app
        self._api_key = api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Deepgram's websocket checks the key itself, because its error has another shape.
        if scope["type"] == "http" and self._api_key is not None and scope["path"] != "/health":
            scheme = "Token" if scope["path"] == PROJECTS_PATH else "Bearer"
            given = Request(scope).headers.get("authorization", "")
            if not secrets.compare_digest(given.encode(), f"{scheme} {self._api_key}".encode()):
                refusal = error_response(401, "Incorrect API key provided.", code="invalid_api_key")
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _BodyLimit:
    """Refuses larger bodies with status 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY_BYTES:
                raise HTTPException(413, f"The request is larger than {MAX_BODY_BYTES} bytes.")
            return message

        await self._app(scope, limited, send)
