"""A custom strategy: the pre-response names the subject of the caller's question.

    python examples/my_strategy.py dev

Install this project first (`pip install -e .`). The agent needs a LiveKit server, and Ollama, speaches and Kokoro on
their default ports; see README.md. docs/strategies.md explains strategies.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from livekit.agents import AgentServer, AgentSession, JobContext, cli
from livekit.agents.voice import room_io
from livekit.plugins import openai

from agent_worker import (
    Attempt,
    CallerTurn,
    Intent,
    PhraseAudio,
    PhraseBook,
    PhraseStrategy,
    Preresponse,
    PreResponseAgent,
    Strategy,
    pace,
)

#: Pre-responses by a word of the caller. Each names the subject only: no fact, no promise, no question.
SUBJECTS = {
    "ticket": "Tickets, let me see.",
    "parking": "Parking, let me check.",
    "guided tour": "Our guided tours, one moment.",
}


class SubjectStrategy:
    """Name the subject of a question or request; leave all other turns to another strategy.

    Args:
        subjects: Pre-responses by subject, in lower case.
        fallback: The strategy for all other turns.
    """

    name = "subject"

    def __init__(self, subjects: Mapping[str, str], fallback: Strategy) -> None:
        self._subjects = subjects
        self._fallback = fallback

    def begin(self, turn: CallerTurn) -> Attempt:
        """Return the search for the pre-response of a turn."""
        sentence = self._sentence_for(turn)
        return SubjectAttempt(sentence) if sentence else self._fallback.begin(turn)

    def _sentence_for(self, turn: CallerTurn) -> str | None:
        if {turn.intent, *turn.alternatives} - {Intent.QUESTION, Intent.REQUEST}:
            return None  # it may be a problem, for which phrases are safer
        text = turn.text.lower()
        sentences = (sentence for subject, sentence in self._subjects.items() if subject in text)
        return next((sentence for sentence in sentences if sentence not in turn.recent), None)


class SubjectAttempt:
    """A pre-response that is known at once."""

    def __init__(self, sentence: str) -> None:
        self.predicted_text: str | None = sentence  # spoken during a tool call that comes first

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        """Return the sentence."""
        return Preresponse(self.predicted_text, "subject") if self.predicted_text else None

    async def aclose(self) -> None:
        """Do nothing: there is no task to cancel."""


server = AgentServer()
# No participant may control the session or have the agent decode a file. On the room's transcripts, see SECURITY.md.
ROOM = room_io.RoomOptions(audio_input=room_io.AudioInputOptions(pre_connect_audio=False))
phrases = PhraseBook.load("en")
phrase_audio = PhraseAudio(Path.home() / ".cache" / "museum-line", voice="kokoro af_heart")


@server.rtc_session()
async def museum_line(job: JobContext) -> None:
    """Run one call."""
    voice = openai.TTS(base_url="http://localhost:8880/v1", api_key="none", model="kokoro", voice="af_heart")
    session = AgentSession[None](
        stt=openai.STT(base_url="http://localhost:8000/v1", api_key="none", model="Systran/faster-whisper-small.en"),
        llm=openai.LLM.with_ollama(model="llama3.3:70b"),
        tts=voice,
    )
    agent = PreResponseAgent(
        instructions="You answer calls for a museum. Keep it short.",
        strategy=SubjectStrategy(SUBJECTS, fallback=PhraseStrategy(phrases, phrase_audio.duration)),
        phrases=phrases,
        phrase_audio=phrase_audio,
    )
    await session.start(agent=agent, room=job.room, room_options=ROOM, session_host=False)
    pace(session)  # cached audio starts without delay
    missing = await asyncio.to_thread(phrase_audio.load, [*agent.fixed_texts, *SUBJECTS.values()])
    await phrase_audio.make(missing, voice)  # once for this voice


if __name__ == "__main__":
    cli.run_app(server)
