"""Faults of the simulated models, which are chosen over HTTP while the server runs.

    PUT /simulated/faults   [{"path": "/v1/audio/speech", "kind": "status", "status": 429, "requests": 1}]
    GET /simulated/seen     counts of requests and how they ended, by path and model

The list replaces the previous one; the first fault that matches a request is applied to it.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_server.audio import SAMPLE_BYTES
from model_server.backends import BadInputError

Path = Literal["/v1/chat/completions", "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/listen", "/v2/listen"]
_PATHS: tuple[str, ...] = get_args(Path)
_USAGE = re.compile(rb'"prompt_tokens":(\d+),"completion_tokens":(\d+)')
_GARBAGE = '\x16\x03\x01 <html>{"choices": [{]]} \x00 data: data: NaN'


class Fault(BaseModel):
    """A kind of requests and how they fail."""

    model_config = ConfigDict(extra="forbid")

    path: Path
    model: str | None = None
    """Only requests for this model."""
    kind: Literal["status", "silent", "cut", "garbage"]
    """An error status; no answer; an answer that breaks off; an answer that no client can parse."""
    status: Annotated[int, Field(ge=400, le=599)] = 500
    retry_after: float | None = None
    """Seconds, for the header of a 429 or 503."""
    messages: Annotated[int, Field(ge=0)] = 4
    """How much of an answer is sent before it is cut: chunks of a body, or messages of a websocket."""
    requests: Annotated[int, Field(ge=1)] | None = None
    """How many requests fail. None: all until the list is replaced."""

    def matches(self, path: str, model: str) -> bool:
        """Return whether a request fails."""
        return path == self.path and self.model in (None, model) and self.requests != 0

    def use(self) -> None:
        """Count a request that failed."""
        if self.requests is not None:
            self.requests -= 1


class CutError(Exception):
    """Ends a connection in the middle of an answer; the server logs it."""


class Faults:
    """The faults in force, and counts of all requests.

    Args:
        now: The clock that live transcriptions are billed by, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._faults: list[Fault] = []
        self._counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.routes = [
            Route("/simulated/faults", self._replace, methods=["PUT"]),
            Route("/simulated/seen", self._report),
        ]

    async def _replace(self, request: Request) -> Response:
        try:
            self._faults = TypeAdapter(list[Fault]).validate_json(await request.body())
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadInputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        return JSONResponse({"faults": len(self._faults)})

    async def _report(self, request: Request) -> Response:
        return JSONResponse(
            [{"path": path, "model": model, **counts} for (path, model), counts in self._counts.items()]
        )

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application, so that requests which match a fault fail."""
        return functools.partial(self._serve, app)

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] not in _PATHS:
            await app(scope, receive, send)
            return
        fields, receive = await _read_fields(scope, receive)
        model = str(fields.get("model", ""))
        counts = self._counts[scope["path"], model]
        counts["requests"] += 1
        fault = next((fault for fault in self._faults if fault.matches(scope["path"], model)), None)
        if fault is None:
            counts["characters"] += len(str(fields.get("input", "")))
        else:
            fault.use()
            counts["faults"] += 1
        handler = app if fault is None else _FailingApp(app, fault)
        started, audio = self._now(), _ReceivedAudio(fields)
        try:
            await handler(scope, audio.counted(receive), _counting(send, counts))
        finally:
            if scope["type"] == "websocket":
                open_ms = (self._now() - started) * 1000
                counts["billed_milliseconds"] += round(max(open_ms, audio.milliseconds))


class _FailingApp:
    def __init__(self, app: ASGIApp, fault: Fault) -> None:
        self._app = app
        self._fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault, websocket = self._fault, scope["type"] == "websocket"
        if fault.kind == "silent":
            while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
                pass
        elif fault.kind == "cut":
            await self._app(scope, receive, _cut_after(fault.messages, send))
        elif fault.kind == "status":
            await _refuse(fault, "websocket.http" if websocket else "http", send)
        elif websocket:
            await send({"type": "websocket.accept"})
            for _ in range(3):
                await send({"type": "websocket.send", "text": _GARBAGE})
                await asyncio.sleep(0.1)
            await send({"type": "websocket.close", "code": 1011, "reason": _GARBAGE[:20]})
        else:
            start = {"status": 200, "headers": [(b"content-type", b"text/event-stream")]}
            await send({"type": "http.response.start", **start})
            await send({"type": "http.response.body", "body": f"data: {_GARBAGE}\n\n".encode() * 3})


class _ReceivedAudio:
    """The duration of the audio that a live transcription received.

    Deepgram bills it, or the time that the connection was open if that is longer.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        # Of a file with a header only the connection's time is known.
        sample_bytes = SAMPLE_BYTES.get(str(fields.get("encoding")), 0)
        rate, channels = (str(fields.get(name, "")) for name in ("sample_rate", "channels"))
        samples = int(rate) * int(channels or 1) if rate.isdecimal() and (channels or "1").isdecimal() else 0
        self._bytes_per_millisecond = sample_bytes * samples / 1000
        self.milliseconds = 0.0

    def counted(self, receive: Receive) -> Receive:
        async def received() -> Message:
            message = await receive()
            if self._bytes_per_millisecond and message["type"] == "websocket.receive":
                self.milliseconds += len(message.get("bytes") or b"") / self._bytes_per_millisecond
            return message

        return received


async def _refuse(fault: Fault, protocol: str, send: Send) -> None:
    body = json.dumps({"error": {"message": "This failure was requested.", "code": None}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if fault.retry_after is not None:
        headers.append((b"retry-after", f"{fault.retry_after:g}".encode()))
    await send({"type": f"{protocol}.response.start", "status": fault.status, "headers": headers})
    await send({"type": f"{protocol}.response.body", "body": body})


async def _read_fields(scope: Scope, receive: Receive) -> tuple[dict[str, Any], Receive]:
    """Return the request's fields, and a `receive` that repeats the body that was read for them."""
    if scope["type"] == "websocket":
        return {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}, receive
    if scope["path"] == "/v1/audio/transcriptions":
        return {}, receive  # a form with a file
    messages: list[Message] = []
    try:
        while not messages or messages[-1].get("more_body"):
            messages.append(await receive())
        fields = json.loads(b"".join(message.get("body", b"") for message in messages))
    except HTTPException:
        return {}, _too_large  # the app answers it as without faults
    except ValueError:
        fields = None

    async def repeat() -> Message:
        return messages.pop(0) if messages else await receive()

    return fields if isinstance(fields, dict) else {}, repeat


async def _too_large() -> Message:
    raise HTTPException(413, "The request is too large.")


def _counting(send: Send, counts: Counter[str]) -> Send:
    """Count whole answers, refusals, and reported tokens."""

    async def counted(message: Message) -> None:
        if message["type"].endswith("http.response.start"):
            counts["refused"] += message["status"] >= 400
        await send(message)
        if message["type"] != "http.response.body":
            return
        counts["ended"] += not message.get("more_body")
        for prompt, completion in _USAGE.findall(message["body"]):
            counts["prompt_tokens"] += int(prompt)
            counts["completion_tokens"] += int(completion)

    return counted


def _cut_after(messages: int, send: Send) -> Send:
    sent = 0

    async def limited(message: Message) -> None:
        nonlocal sent
        if message["type"] in ("http.response.body", "websocket.send"):
            sent += 1
            if sent > messages:
                raise CutError
        await send(message)

    return limited
