"""The routes, and what is the same for all of them: keys, errors, limits."""

from __future__ import annotations

import secrets

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_server.backends import Backends, BadInputError, UnknownModelError
from model_server.deepgram_api import PROJECTS, DeepgramAPI
from model_server.faults import Faults, FaultsMiddleware
from model_server.openai_api import OpenAIAPI, bad_input, error_response, unknown_model

MAX_BODY_BYTES = 25 * 1024 * 1024
"""OpenAI's own limit for an upload."""


def create_app(backends: Backends, api_key: str | None = None) -> Starlette:
    """The whole server. Without `api_key` any key, or none, is good."""
    openai, deepgram = OpenAIAPI(backends), DeepgramAPI(backends.stt, api_key)
    faults = Faults() if backends.mode == "simulated" else None

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "mode": backends.mode, "models": backends.listed()})

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/v1/models", openai.models),
            Route("/v1/models/{name:path}", openai.model),
            Route("/v1/chat/completions", openai.chat_completions, methods=["POST"]),
            Route(PROJECTS, deepgram.projects),
            Route("/v1/audio/transcriptions", openai.transcriptions, methods=["POST"]),
            Route("/v1/audio/speech", openai.speech, methods=["POST"]),
            WebSocketRoute("/v1/listen", deepgram.listen),
            *(faults.routes if faults else ()),
        ],
        middleware=[
            Middleware(_RequestId),
            Middleware(_BearerKey, api_key=api_key),
            Middleware(_BodyLimit),
            *([Middleware(FaultsMiddleware, faults=faults)] if faults else ()),
        ],
        exception_handlers={
            BadInputError: bad_input,
            UnknownModelError: unknown_model,
            HTTPException: _http_error,
            ClientDisconnect: _client_gone,
            Exception: _failure,
        },
    )


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_response(error.status_code, error.detail)


def _client_gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; the number is nginx's for the same case


def _failure(request: Request, error: Exception) -> Response:
    return error_response(500, "The server had an error while processing your request.")


class _RequestId:
    """Numbers the answers as OpenAI does: its clients warn about one without."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def numbered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = f"req_{secrets.token_hex(16)}"
            await send(message)

        await self._app(scope, receive, numbered if scope["type"] == "http" else send)


class _BearerKey:
    def __init__(self, app: ASGIApp, api_key: str | None) -> None:
        self._app = app
        self._api_key = api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Deepgram's socket has its own error.
        if scope["type"] == "http" and self._api_key is not None and scope["path"] != "/health":
            kind = "Token" if scope["path"] == PROJECTS else "Bearer"
            given = Request(scope).headers.get("authorization", "")
            if not secrets.compare_digest(given.encode(), f"{kind} {self._api_key}".encode()):
                refusal = error_response(401, "Incorrect API key provided.", code="invalid_api_key")
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class _BodyLimit:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY_BYTES:
                raise HTTPException(413, f"The request is larger than {MAX_BODY_BYTES} bytes.")
            return message

        await self._app(scope, counted, send)
