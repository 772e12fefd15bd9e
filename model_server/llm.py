"""Language models on llama.cpp."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import xllamacpp

from model_server.backends import LLM, AliasedModel, BadInputError, ChatChunk, ChatRequest, UnknownModelError
from model_server.checksum import WeightsError

CONTEXT_TOKENS = 4096
"""Prompt and answer of one request together."""

# Defaults. A model with 135 million parameters goes on until the context is full, hence the limit, and repeats itself,
# hence the penalty; the rest is what the authors of SmolLM2 recommend.
MAX_TOKENS = 256
SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1}


FAST_ALIASES = frozenset({"llama-3.1-8b-instant", "llama3.1:8b"})
"""What the worker's stacks call their fast model by default."""
MAIN_ALIASES = frozenset({"llama-3.3-70b-versatile", "llama3.1:70b", "llama3.3:70b"})
"""What the worker's stacks call their main model by default."""


class LlamaCpp:
    """A GGUF model on a llama.cpp server inside this process.

    Args:
        path: The GGUF file.
        name: The model's own name.
        aliases: The other names that it answers to.
        threads: CPU threads for a prompt and for an answer. More than one are fast on an idle machine, but they wait
            for each other: while speech models run on the same cores, the first token sometimes takes seconds.
        slots: Requests that are answered at the same time. A slot of the 1.5B model takes 115 MB.
    """

    def __init__(self, path: Path, name: str, aliases: frozenset[str], threads: int, slots: int) -> None:
        self.names = AliasedModel(name, aliases)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_parallel = slots
        params.n_ctx = CONTEXT_TOKENS * slots
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.cpuparams.poll = params.cpuparams_batch.poll = 0  # they do not spin while they wait
        # llama.cpp would keep up to 8 GB of old prompts.
        params.cache_ram_mib = 256
        params.verbosity = -1
        # xllamacpp also opens a loopback port; only this object may use it.
        params.api_keys = [secrets.token_hex()]
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise WeightsError(f"{path} cannot be loaded: it is damaged or incomplete, or memory is short") from error
        # One thread per slot: each waits in llama.cpp for its request's next token. Further requests queue here, where
        # a cancelled one leaves the queue at no cost to the model.
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="llm")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """See `model_server.backends.LLM`."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()
        stopped = threading.Event()

        def forward(item: dict[str, Any] | Exception | None) -> bool:
            """Receive a chunk on llama.cpp's thread; return True to end the generation."""
            if not stopped.is_set():
                loop.call_soon_threadsafe(chunks.put_nowait, item)
            return stopped.is_set()

        def generate() -> None:
            try:
                self._server.handle_chat_completions(_body(request), forward)
                forward(None)
            except Exception as error:
                forward(error)

        running = loop.run_in_executor(self._threads, generate)
        finish_reason = "stop"
        try:
            while (chunk := await chunks.get()) is not None:
                if isinstance(chunk, Exception):
                    raise BadInputError(str(chunk)) from chunk
                if "error" in chunk:
                    raise _refusal(chunk["error"])
                for choice in chunk["choices"]:
                    finish_reason = choice["finish_reason"] or finish_reason
                    if text := choice["delta"].get("content"):
                        yield ChatChunk(text)
                if usage := chunk.get("usage"):
                    yield ChatChunk("", finish_reason, usage["prompt_tokens"], usage["completion_tokens"])
        finally:
            stopped.set()
            running.cancel()  # has an effect only while it is queued


def _body(request: ChatRequest) -> dict[str, Any]:
    return {
        **SAMPLING,
        **request.options,
        "max_tokens": request.max_tokens or MAX_TOKENS,
        "messages": [{"role": message.role, "content": message.text} for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _refusal(error: dict[str, Any]) -> BadInputError:
    too_long = error.get("type") == "exceed_context_size_error"
    return BadInputError(
        str(error.get("message")), param="messages", code="context_length_exceeded" if too_long else None
    )


class MainAndFastModel:
    """Two language models behind one interface: the requested name selects one."""

    def __init__(self, main: LLM, fast: LLM) -> None:
        self._models = (main, fast)

    @property
    def names(self) -> MainAndFastModel:
        """The names of both."""
        return self

    @property
    def listed(self) -> tuple[str, ...]:
        """The models' own names."""
        return tuple(name for model in self._models for name in model.names.listed)

    def resolve(self, requested: str) -> str:
        """Return the own name of the model that answers to a name, or raise `UnknownModelError`."""
        return self._find(requested).names.resolve(requested)

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """See `model_server.backends.LLM`."""
        return self._find(request.model).stream(request)

    def _find(self, requested: str) -> LLM:
        for model in self._models:
            with contextlib.suppress(UnknownModelError):
                model.names.resolve(requested)
                return model
        raise UnknownModelError(requested)
