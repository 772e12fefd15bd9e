"""Checks at build time that the image has the models that a call needs beside those of the providers.

Voice activity detection and v1-mini are models in livekit's packages; smart-turn's weights are beside them, and are
checked by their sha256. This script uses each once with the network forbidden, and fails if a plugin would download
files at run time.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from livekit import local_inference
from livekit.agents import Plugin, inference, tokenize
from livekit.plugins import deepgram, groq, openai  # noqa: F401  # they register themselves

from agent_worker.turn_taking import smart_turn


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """End the build when anything connects or resolves a name; an audit hook."""
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise SystemExit(f"something is downloaded at run time: {event} {arguments[-1]}")


sys.addaudithook(refuse_network)
for plugin in Plugin.registered_plugins:
    if type(plugin).download_files is not Plugin.download_files:
        raise SystemExit(f"{plugin.title} downloads files: let the Dockerfile do that, with `download-files`")

inference.VAD(model="silero")
voice = local_inference.VAD().predict(np.zeros(local_inference.VAD_WINDOW_SAMPLES, np.int16))
end = local_inference.EOT().predict(np.zeros(local_inference.EOT_MAX_SAMPLES, np.int16))
smart = smart_turn.load(smart_turn.weights_path()).probability(np.zeros(smart_turn.SAMPLE_RATE, np.int16))
tokenize.basic.hyphenate_word("syllables")
print(f"models found: in silence voice {voice:.2f}, end of turn {end:.2f} by v1-mini and {smart:.2f} by smart-turn")
