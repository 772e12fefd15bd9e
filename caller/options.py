"""The options of a call: the room, the utterances, the timeouts."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from json import loads
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from agent_worker.core.outbound_call import BadPhoneNumberError, checked_number


@dataclass(frozen=True)
class Wav:
    """An utterance from a WAV file: any rate, mono or stereo, integer or float samples."""

    path: str | Path
    over_reply_after: float | None = None
    """Begin over the agent's reply to the utterance before, once that has been audible for so many seconds."""

    @property
    def said(self) -> str:
        """The utterance as the report names it: the file's name."""
        return Path(self.path).name


@dataclass(frozen=True)
class Text:
    """An utterance as a sentence, spoken by the speech endpoint."""

    text: str
    over_reply_after: float | None = None
    """Begin over the agent's reply to the utterance before, once that has been audible for so many seconds."""

    @property
    def said(self) -> str:
        """The utterance as the report names it: the sentence."""
        return self.text


@dataclass(frozen=True)
class Keys:
    """Keys that are pressed on the telephone (DTMF), for example "42#"."""

    keys: str
    over_reply_after: float | None = None
    """Begin over the agent's reply to the utterance before, once that has been audible for so many seconds."""

    @property
    def said(self) -> str:
        """The utterance as the report names it: the keys."""
        return self.keys


KEYS = "0123456789*#ABCD"
"""The keys of a telephone, in the order of their codes."""
Utterance = Wav | Text | Keys


@dataclass(frozen=True, kw_only=True)
class CallOptions:
    """The options of a call. Durations are in seconds.

    The address and the credentials default to LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET. A `token`
    takes precedence over key and secret, and names the room and the identity itself.
    """

    utterances: Sequence[Utterance]
    """Said in this order, one turn each."""
    room: str = ""
    url: str = field(default_factory=lambda: os.environ.get("LIVEKIT_URL", ""))
    api_key: str = field(default_factory=lambda: os.environ.get("LIVEKIT_API_KEY", ""), repr=False)
    api_secret: str = field(default_factory=lambda: os.environ.get("LIVEKIT_API_SECRET", ""), repr=False)
    token: str = field(default="", repr=False)
    identity: str = field(default_factory=lambda: f"caller-{uuid4().hex[:8]}")
    agent_name: str = ""
    """Dispatch the agent of this name to the room, and talk to no other. Empty: the first agent that comes."""
    agent_metadata: str = ""
    """The metadata of that dispatch: the agent's job has them."""
    dial: str = ""
    """Say nothing: have the agent `agent_name` call this telephone number."""
    phone: bool = False
    """Call by a telephone: audio in both directions is 8 kHz mu-law, and without a `token` the participant is of kind
    SIP, as a phone that has been answered."""
    topics: Sequence[str] = ()
    """Text stream topics to record beside the transcripts."""
    procedures: Sequence[tuple[str, str]] = ()
    """Remote procedures of the agent to call after its greeting: names and payloads. Until it has them, for at most
    `agent_timeout`, they are tried again."""

    connect_timeout: float = 10.0
    agent_timeout: float = 20.0
    """For an agent to come into the room and to listen to us."""
    greeting_wait: float = 4.0
    """For the agent to begin its greeting; once it is audible, its end is awaited."""
    reply_timeout: float = 30.0
    """The longest silence before a reply, or within one."""
    turn_timeout: float = 120.0
    """The longest reply: a turn always ends."""
    quiet: float = 1.0
    """How long the agent must be silent, and its state 'listening', to have finished."""
    barge_in: float | None = None
    """Begin the next utterance this long after the agent's first audible sample."""

    speech_url: str = field(default_factory=lambda: os.environ.get("CALLER_SPEECH_URL", "http://localhost:8880/v1"))
    speech_model: str = "kokoro"
    speech_voice: str = "af_heart"

    json: Path | None = None
    """File for the report."""
    record: Path | None = None
    """WAV file for the agent's audio, aligned with the report's clock."""
    record_caller: Path | None = None
    """WAV file for the caller's audio, aligned likewise."""

    def problems(self) -> list[str]:
        """Return a line for each invalid option; WAV files are checked when they are read."""
        found = []
        if not self.url:
            found.append("no server: pass --url ws://HOST:7880 or set LIVEKIT_URL")
        elif urlsplit(self.url).scheme not in ("ws", "wss", "http", "https") or not urlsplit(self.url).netloc:
            found.append("the server's --url is no address: write it as ws://HOST:PORT or wss://HOST")
        if not self.token:
            if not self.room and not self.dial:
                found.append("no room: pass --room NAME (or --token, which names one)")
            if not self.api_key or not self.api_secret:
                found.append("no credentials: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or pass --token")
        if self.agent_name and self.token and not (self.api_key and self.api_secret):
            found.append(
                "--agent-name needs credentials beside the --token: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or"
                " put the agent into the token's room configuration"
            )
        if self.agent_metadata and not self.agent_name:
            found.append("--agent-metadata is for a dispatch: pass --agent-name NAME with it")
        if self.dial:
            found += self._dial_problems()
        elif not self.utterances:
            found.append("nothing to say: pass --wav FILE, --text 'SENTENCE' or --keys KEYS, as often as you like")
        found += [
            "--text is empty: write a sentence in it"
            for utterance in self.utterances
            if isinstance(utterance, Text) and not utterance.text.strip()
        ]
        found += [
            f"--keys has other characters than {KEYS}, or none: give keys of a telephone"
            for utterance in self.utterances
            if isinstance(utterance, Keys) and (not utterance.keys or set(utterance.keys) - set(KEYS))
        ]
        durations = (
            "connect_timeout",
            "agent_timeout",
            "greeting_wait",
            "reply_timeout",
            "turn_timeout",
            "quiet",
            "barge_in",
        )
        found += [
            f"--{name.replace('_', '-')} is negative: give seconds, 0 or more"
            for name in durations
            if (getattr(self, name) or 0) < 0
        ]
        found += [
            f"{path}: cannot be written, its folder does not exist: create the folder"
            for path in (self.json, self.record, self.record_caller)
            if path and not path.parent.is_dir()
        ]
        return found

    def _dial_problems(self) -> list[str]:
        found = []
        try:
            checked_number(self.dial)
        except BadPhoneNumberError as error:
            found.append(f"--dial {error}")
        if not self.agent_name:
            found.append("--dial needs the agent who calls: pass --agent-name NAME")
        if self.token or self.utterances:
            found.append("--dial only places a call: leave --token and what is to be said away")
        try:
            is_object = isinstance(loads(self.agent_metadata or "{}"), dict)
        except ValueError:
            is_object = False
        if not is_object:
            found.append("--agent-metadata is no JSON object, to which --dial could add the number")
        return found
