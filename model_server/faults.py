"""What goes wrong in simulated mode, and for whom: chosen over HTTP while the server runs.

    PUT /simulated/faults   [{"path": "/v1/audio/speech", "kind": "status", "status": 429, "requests": 1}]
    GET /simulated/seen     what was asked for and how it ended, by path and model

The list replaces the one before; the first fault that fits a request befalls it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter, defaultdict
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model_server.backends import BadInputError

Path = Literal["/v1/chat/completions", "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/listen"]
_PATHS: tuple[str, ...] = ("/v1/chat/completions", "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/listen")
_USAGE = re.compile(rb'"prompt_tokens":(\d+),"completion_tokens":(\d+)')
_GARBAGE = '\x16\x03\x01 <html>{"choices": [{]]} \x00 data: data: NaN'


class Fault(BaseModel):
    """How requests of one kind go wrong."""

    model_config = ConfigDict(extra="forbid")

    path: Path
    model: str | None = None
    """Only requests for this model."""
    kind: Literal["status", "silent", "cut", "garbage"]
    """An error status; no answer at all; an answer that breaks off; an answer that makes no sense."""
    status: Annotated[int, Field(ge=400, le=599)] = 500
    retry_after: float | None = None
    """Seconds, for the header of a 429 or 503."""
    messages: Annotated[int, Field(ge=0)] = 4
    """How much of an answer is sent before it is cut: pieces of a body, or messages of a websocket."""
    requests: Annotated[int, Field(ge=1)] | None = None
    """How many requests it befalls. None: all until the list is replaced."""

    def fits(self, path: str, model: str) -> bool:
        return path == self.path and self.model in (None, model) and self.requests != 0

    def spend(self) -> None:
        if self.requests is not None:
            self.requests -= 1


class CutError(Exception):
    """Ends a connection in the middle of an answer. The server logs it: it was asked for."""


class Faults:
    """The faults in force, and a count of everything that was asked for."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._seen: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.routes = [
            Route("/simulated/faults", self._replace, methods=["PUT"]),
            Route("/simulated/seen", self._tell),
        ]

    async def _replace(self, request: Request) -> Response:
        try:
            self._faults = TypeAdapter(list[Fault]).validate_json(await request.body())
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadInputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        return JSONResponse({"faults": len(self._faults)})

    async def _tell(self, request: Request) -> Response:
        return JSONResponse([{"path": path, "model": model, **counts} for (path, model), counts in self._seen.items()])

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: `app` answers it, unless a fault befalls it."""
        if scope["type"] not in ("http", "websocket") or scope["path"] not in _PATHS:
            await app(scope, receive, send)
            return
        asked, receive = await _asked_for(scope, receive)
        model = str(asked.get("model", ""))
        seen = self._seen[scope["path"], model]
        seen["requests"] += 1
        fault = next((fault for fault in self._faults if fault.fits(scope["path"], model)), None)
        if fault is None:
            seen["characters"] += len(str(asked.get("input", "")))
        else:
            fault.spend()
            seen["faults"] += 1
        answering = app if fault is None else _Failing(app, fault)
        started, audio = time.monotonic(), _Audio(asked)
        try:
            await answering(scope, audio.counted(receive), _counting(send, seen))
        finally:
            if scope["type"] == "websocket":
                open_for = (time.monotonic() - started) * 1000
                seen["billed_milliseconds"] += round(max(open_for, audio.milliseconds))


class FaultsMiddleware:
    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._faults.serve(self._app, scope, receive, send)


class _Failing:
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


class _Audio:
    """How much of it a live transcription was sent. Deepgram bills that, and the time it was open if that is more."""

    def __init__(self, asked: dict[str, Any]) -> None:
        rate, channels = (str(asked.get(name, "")) for name in ("sample_rate", "channels"))
        samples = int(rate) * int(channels or 1) if rate.isdecimal() and (channels or "1").isdecimal() else 0
        self._bytes_per_millisecond = 2 * samples / 1000
        self.milliseconds = 0.0

    def counted(self, receive: Receive) -> Receive:
        async def received() -> Message:
            message = await receive()
            if self._bytes_per_millisecond and message["type"] == "websocket.receive":
                self.milliseconds += len(message.get("bytes") or b"") / self._bytes_per_millisecond
            return message

        return received


async def _refuse(fault: Fault, protocol: str, send: Send) -> None:
    body = json.dumps({"error": {"message": "This failure was asked for.", "code": None}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if fault.retry_after is not None:
        headers.append((b"retry-after", f"{fault.retry_after:g}".encode()))
    await send({"type": f"{protocol}.response.start", "status": fault.status, "headers": headers})
    await send({"type": f"{protocol}.response.body", "body": body})


async def _asked_for(scope: Scope, receive: Receive) -> tuple[dict[str, Any], Receive]:
    """The request's fields; the body is read for them, and is there to be read again."""
    if scope["type"] == "websocket":
        return {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}, receive
    if scope["path"] == "/v1/audio/transcriptions":
        return {}, receive  # in a form
    read: list[Message] = []
    try:
        while not read or read[-1].get("more_body"):
            read.append(await receive())
        asked = json.loads(b"".join(message.get("body", b"") for message in read))
    except HTTPException:
        return {}, _refused  # too large: for the app to say, as to everybody
    except ValueError:
        asked = None

    async def again() -> Message:
        return read.pop(0) if read else await receive()

    return asked if isinstance(asked, dict) else {}, again


async def _refused() -> Message:
    raise HTTPException(413, "The request is too large.")


def _counting(send: Send, seen: Counter[str]) -> Send:
    """Count whole answers, refusals, and the tokens that are told."""

    async def counted(message: Message) -> None:
        if message["type"].endswith("http.response.start"):
            seen["refused"] += message["status"] >= 400
        await send(message)
        if message["type"] != "http.response.body":
            return
        seen["ended"] += not message.get("more_body")
        for prompt, completion in _USAGE.findall(message["body"]):
            seen["prompt_tokens"] += int(prompt)
            seen["completion_tokens"] += int(completion)

    return counted


def _cut_after(messages: int, send: Send) -> Send:
    sent = 0

    async def counted(message: Message) -> None:
        nonlocal sent
        if message["type"] in ("http.response.body", "websocket.send"):
            sent += 1
            if sent > messages:
                raise CutError
        await send(message)

    return counted
