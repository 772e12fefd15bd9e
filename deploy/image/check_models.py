"""Run in the image's build: what a call needs beside the providers is in the image.

Voice activity detection and end of turn are models inside livekit's packages. Here they are used once with no network
allowed, and a plugin that would fetch files of its own at run time is refused.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from livekit import local_inference
from livekit.agents import Plugin, inference, tokenize
from livekit.plugins import deepgram, groq, openai  # noqa: F401  # they register themselves


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise SystemExit(f"something would be fetched at run time: {event} {arguments[-1]}")


sys.addaudithook(refuse_network)
for plugin in Plugin.registered_plugins:
    if type(plugin).download_files is not Plugin.download_files:
        raise SystemExit(f"{plugin.title} fetches files: have the Dockerfile do that, with `download-files`")

inference.VAD(model="silero")
voice = local_inference.VAD().predict(np.zeros(local_inference.VAD_WINDOW_SAMPLES, np.int16))
end = local_inference.EOT().predict(np.zeros(local_inference.EOT_MAX_SAMPLES, np.int16))
tokenize.basic.hyphenate_word("syllables")
print(f"the models are here: voice {voice:.2f} and end of turn {end:.2f} in silence")
