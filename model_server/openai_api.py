"""OpenAI's HTTP protocol: chat completions, transcriptions, speech, models."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, StringConstraints, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Send

from model_server.audio import CONTENT_TYPES, Encoder, decode
from model_server.backends import (
    STT_SAMPLE_RATE,
    TTS_SAMPLE_RATE,
    Backends,
    BadInputError,
    ChatChunk,
    ChatRequest,
    Message,
    SpeechRequest,
    Transcript,
    UnknownModelError,
)
from model_server.transcription_formats import check_format, check_language, check_stream, events, subtitles, verbose

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)


def error_response(status: int, message: str, *, param: str | None = None, code: str | None = None) -> JSONResponse:
    """Return an error in OpenAI's shape."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


class ContentPart(BaseModel):
    """A part of a message; only text is used."""

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """A message of a chat request."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None

    def text(self) -> str:
        """Return the text of all parts."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""


class StreamOptions(BaseModel):
    """Options of a streamed answer."""

    include_usage: bool = False


class ToolFunction(BaseModel):
    """The function of a tool; what it takes is ignored."""

    name: str


class ChatTool(BaseModel):
    """A tool that is offered."""

    function: ToolFunction | None = None


class ChatBody(BaseModel):
    """The fields that a small model supports; others are accepted and ignored. Only the simulation calls tools."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    tools: list[ChatTool] = []

    def request(self) -> ChatRequest:
        """Return the request for the model."""
        sampling = {"temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "stop"}
        # The model knows three roles; the text of other roles must not be lost. A tool call has no text.
        roles = {"developer": "system", "tool": "user", "function": "user"}
        return ChatRequest(
            self.model,
            tuple(
                Message(roles.get(message.role, message.role), text)
                for message in self.messages
                if (text := message.text())
            ),
            self.max_completion_tokens or self.max_tokens,
            self.model_dump(include=sampling, exclude_none=True),
            tuple(tool.function.name for tool in self.tools if tool.function),
            self._answers_tool,
        )

    @property
    def _answers_tool(self) -> bool:
        """Whether a tool has returned since the user's last message; what was said meanwhile may stand behind it."""
        roles = (message.role for message in reversed(self.messages))
        return next((role == "tool" for role in roles if role in ("tool", "user")), False)


class SpeechBody(BaseModel):
    """A request for speech."""

    model: str
    input: Annotated[str, StringConstraints(min_length=1, max_length=4096, strip_whitespace=True)]
    voice: str
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4.0)] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"


class OpenAIAPI:
    """The endpoints. The app turns `BadInputError` and `UnknownModelError` into error responses."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._transcriptions = itertools.count()

    async def models(self, request: Request) -> Response:
        """List the models."""
        return JSONResponse({"object": "list", "data": [_model(name) for name in self._backends.listed()]})

    async def model(self, request: Request) -> Response:
        """Describe one model."""
        return JSONResponse(_model(self._backends.resolve(request.path_params["name"])))

    async def chat_completions(self, request: Request) -> Response:
        """Answer a chat, streamed on request."""
        body = await _parse(request, ChatBody)
        llm = self._backends.llm
        head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": llm.names.resolve(body.model),
        }
        chunks = llm.stream(body.request())
        if not body.stream:
            return JSONResponse(await _until_disconnect(request, _completion(head, chunks)))
        # The first chunk is awaited before the status is sent, so that a refused prompt is a 400 and not a stream.
        first = await _until_disconnect(request, anext(chunks))
        usage = body.stream_options is not None and body.stream_options.include_usage
        return _Stream(_completion_events(head, first, chunks, usage), media_type="text/event-stream")

    async def transcriptions(self, request: Request) -> Response:
        """Transcribe a file."""
        async with request.form(max_files=1) as form:
            file, model = form.get("file"), form.get("model")
            if not isinstance(file, UploadFile):
                raise BadInputError("'file' is required and must be a file.", param="file")
            if not isinstance(model, str):
                raise BadInputError("'model' is required.", param="model")
            self._backends.stt.names.resolve(model)
            format = check_format(form.get("response_format", "json"), model)
            language = self._check_language(form.get("language"), model)
            is_streamed = check_stream(form.get("stream"), format, model)
            data = await file.read()
        audio = await asyncio.to_thread(decode, data)
        transcript = await _until_disconnect(
            request,
            self._backends.stt.transcribe(model, audio, segment=next(self._transcriptions), final=True),
        )
        seconds = len(audio) / STT_SAMPLE_RATE
        if is_streamed:
            return _Stream(_transcription_events(transcript, seconds), media_type="text/event-stream")
        if format == "text":
            return PlainTextResponse(transcript.text + "\n")
        if format in ("srt", "vtt"):
            return PlainTextResponse(subtitles(transcript, format))
        usage = {"type": "duration", "seconds": max(1, round(seconds))}
        if format == "json":
            return JSONResponse({"text": transcript.text, "usage": usage})
        return JSONResponse({**verbose(transcript, seconds, language), "usage": usage})

    def _check_language(self, language: object, model: str) -> str:
        code = check_language(language)
        stt = self._backends.stt
        if code and not stt.takes_language(model, code):
            message = f"The model '{stt.names.resolve(model)}' does not transcribe the language '{code}'."
            raise BadInputError(message, param="language", code="unsupported_language")
        return code

    async def speech(self, request: Request) -> Response:
        """Synthesise a text."""
        body = await _parse(request, SpeechBody)
        tts = self._backends.tts
        tts.names.resolve(body.model)
        pcm = tts.stream(SpeechRequest(body.model, body.input, body.voice, body.speed))
        # Awaited before the status is sent, as for chat completions.
        first = await _until_disconnect(request, anext(pcm, b""))
        encoded = _encoded(first, pcm, body.response_format)
        if body.stream_format == "audio":
            return _Stream(encoded, media_type=CONTENT_TYPES[body.response_format])
        return _Stream(_speech_events(encoded, body.input), media_type="text/event-stream")


class _Stream(StreamingResponse):
    """Closes its source as soon as the client has disconnected, so that the model stops."""

    body_iterator: AsyncGenerator[bytes, None]

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self.body_iterator):
            await super().stream_response(send)


async def _parse(request: Request, shape: type[Body]) -> Body:
    try:
        return shape.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        raise BadInputError(f"{param or 'body'}: {first['msg']}", param=param) from error


async def _until_disconnect(request: Request, answer: Awaitable[T]) -> T:
    """Return the answer, or cancel it if the client disconnects first. The body must have been read."""
    answering = asyncio.ensure_future(answer)
    disconnecting = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({answering, disconnecting}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientDisconnect
        return answering.result()
    finally:
        answering.cancel()
        disconnecting.cancel()
        await asyncio.gather(answering, disconnecting, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _event(data: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _usage(chunk: ChatChunk) -> dict[str, int]:
    return {
        "prompt_tokens": chunk.prompt_tokens,
        "completion_tokens": chunk.completion_tokens,
        "total_tokens": chunk.prompt_tokens + chunk.completion_tokens,
    }


async def _completion(head: dict[str, Any], chunks: AsyncGenerator[ChatChunk, None]) -> dict[str, Any]:
    text, last = "", ChatChunk()
    async with aclosing(chunks):
        async for last in chunks:
            text += last.text
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": last.finish_reason or "stop"}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(last)}


async def _completion_events(
    head: dict[str, Any], first: ChatChunk, rest: AsyncGenerator[ChatChunk, None], include_usage: bool
) -> AsyncGenerator[bytes, None]:
    head = {**head, "object": "chat.completion.chunk"}

    def events(chunk: ChatChunk) -> bytes:
        delta: dict[str, Any] = {"content": chunk.text} if chunk.text else {}
        if chunk.tool:
            function = {"name": chunk.tool, "arguments": "{}"}
            call_id = f"call_{uuid.uuid4().hex[:12]}"
            delta = {"tool_calls": [{"index": 0, "id": call_id, "type": "function", "function": function}]}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": chunk.finish_reason}
        event = _event({**head, "choices": [choice]})
        if chunk.finish_reason and include_usage:
            event += _event({**head, "choices": [], "usage": _usage(chunk)})
        return event

    async with aclosing(rest):
        role = {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
        yield _event({**head, "choices": [role]}) + events(first)
        async for chunk in rest:
            yield events(chunk)
        yield b"data: [DONE]\n\n"


async def _transcription_events(transcript: Transcript, seconds: float) -> AsyncGenerator[bytes, None]:
    for event in events(transcript, seconds):
        yield _event(event)


async def _encoded(first: bytes, rest: AsyncGenerator[bytes, None], format: str) -> AsyncGenerator[bytes, None]:
    encoder = Encoder(format)
    async with aclosing(rest):
        if data := await asyncio.to_thread(encoder.encode, first):
            yield data
        async for pcm in rest:
            if data := await asyncio.to_thread(encoder.encode, pcm):
                yield data
        if data := await asyncio.to_thread(encoder.finish):
            yield data


async def _speech_events(audio: AsyncGenerator[bytes, None], text: str) -> AsyncGenerator[bytes, None]:
    size = 0
    async with aclosing(audio):
        async for data in audio:
            size += len(data)
            yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})
    # These models have no audio tokens; words and tenths of a second of PCM stand in for them.
    tokens_in, tokens_out = len(text.split()), size * 10 // (TTS_SAMPLE_RATE * 2)
    usage = {"input_tokens": tokens_in, "output_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
    yield _event({"type": "speech.audio.done", "usage": usage})


def bad_input(request: Request, error: Exception) -> Response:
    """Return the response for a `BadInputError`."""
    assert isinstance(error, BadInputError)
    return error_response(400, str(error), param=error.param, code=error.code)


def unknown_model(request: Request, error: Exception) -> Response:
    """Return the response for an `UnknownModelError`."""
    assert isinstance(error, UnknownModelError)
    return error_response(404, str(error), param="model", code="model_not_found")


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "model-server"}
