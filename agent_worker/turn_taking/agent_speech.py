"""Follow what the agent says, and how much of it the caller has heard."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from livekit.agents.voice import SpeechHandle

#: Of long answers only the end is kept.
_MAX_CHARS = 4000
#: Slow speech: a text is taken to have been spoken after so many seconds a character.
_SECONDS_PER_CHAR = 0.07
#: A caller answers a question in its last words already.
_ANSWERS_BEFORE_END_S = 1.5


class AgentSpeech:
    """One speech of the agent. All instants are of one monotonic clock.

    Attributes:
        text: Its words, or as many as are known.
        before: The words of the speech before it.
        preresponse_at: When the pre-response was first heard; ``None`` if it was not.
        answer_at: When the answer, or any other speech, was first heard.
        ended_at: When it ended; ``None`` before that.
    """

    def __init__(self, before: str = "") -> None:
        self.text = ""
        self.before = before
        self.preresponse_at: float | None = None
        self.answer_at: float | None = None
        self.ended_at: float | None = None
        self._expects_preresponse = False

    @property
    def recent_text(self) -> str:
        """The words of this speech and the one before: an echo of the last words arrives in the next speech."""
        return f"{self.before} {self.text}"

    def on_preresponse(self) -> None:
        """The next audio is a pre-response."""
        self._expects_preresponse = True

    def on_text(self, piece: str) -> None:
        """The agent is going to say a text."""
        self.text = (self.text + piece)[-_MAX_CHARS:]

    def on_playback_started(self, now: float) -> None:
        """A segment is heard."""
        if self._expects_preresponse:
            self.preresponse_at, self._expects_preresponse = now, False
        elif self.answer_at is None:
            self.answer_at = now

    def heard_of_answer_s(self, now: float) -> float:
        """Return for how long the answer has been heard, seconds."""
        return 0.0 if self.answer_at is None else max(0.0, now - self.answer_at)

    def has_asked(self, now: float) -> bool:
        """Whether it ends with a question that the caller has heard, or is about to have heard."""
        text = self.text.rstrip(" \"'”»)")
        if not text.endswith("?") or self.answer_at is None:
            return False
        if self.ended_at is not None:
            return True
        return self.heard_of_answer_s(now) >= _SECONDS_PER_CHAR * len(text) - _ANSWERS_BEFORE_END_S


class AgentSpeeches:
    """The speeches of a call, by livekit's handle: one is prepared while another is heard."""

    def __init__(self) -> None:
        self._by_handle: WeakKeyDictionary[SpeechHandle, AgentSpeech] = WeakKeyDictionary()
        self._latest = AgentSpeech()

    @property
    def latest(self) -> AgentSpeech:
        """The speech that was current last."""
        return self._latest

    def of(self, handle: SpeechHandle | None) -> AgentSpeech:
        """Return the speech of a handle; the latest for ``None``."""
        if handle is None:
            return self._latest
        return self._by_handle.setdefault(handle, AgentSpeech())

    def make_current(self, handle: SpeechHandle | None) -> AgentSpeech:
        """Return the speech of the handle that is current now; the latest if none is."""
        speech = self.of(handle)
        if speech is not self._latest:
            speech.before, self._latest = self._latest.text, speech
        return speech
