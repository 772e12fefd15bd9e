"""A strategy of your own: when a caller asks about something this line knows well, the pre-response names it.

    python examples/my_strategy.py dev

Install this project first (`pip install -e .`). It needs a LiveKit server, and Ollama, speaches and Kokoro on their
usual ports; see README.md. docs/strategies.md explains it line by line.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from livekit.agents import AgentServer, AgentSession, JobContext, cli
from livekit.plugins import openai

from agent_worker.audio.output import pace
from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.preresponse.agent import PreResponseAgent
from agent_worker.preresponse.phrases import PhraseBook
from agent_worker.preresponse.strategies import Attempt, CallerTurn, PhraseStrategy, Preresponse, Strategy
from agent_worker.text.intent import Intent

#: What is said by a word the caller used. It names the subject and stops: no fact, no promise, no question.
SUBJECTS = {
    "ticket": "Tickets, let me see.",
    "parking": "Parking, let me check.",
    "guided tour": "Our guided tours, one moment.",
}


class SubjectStrategy:
    """Names the subject of a question. For everything else another strategy speaks."""

    name = "subject"

    def __init__(self, subjects: Mapping[str, str], otherwise: Strategy) -> None:
        self._subjects = subjects
        self._otherwise = otherwise

    def begin(self, turn: CallerTurn) -> Attempt:
        sentence = self._sentence_for(turn)
        return SubjectAttempt(sentence) if sentence else self._otherwise.begin(turn)

    def _sentence_for(self, turn: CallerTurn) -> str | None:
        if {turn.intent, *turn.alternatives} - {Intent.QUESTION, Intent.REQUEST}:
            return None  # or trouble, perhaps: the phrases know what to say then
        words = turn.text.lower()
        fitting = (sentence for subject, sentence in self._subjects.items() if subject in words)
        return next((sentence for sentence in fitting if sentence not in turn.recent), None)


class SubjectAttempt:
    def __init__(self, sentence: str) -> None:
        self.predicted_text: str | None = sentence  # the main model is told, and goes on from there

    async def select(self, answer_eta: float | None) -> Preresponse | None:
        return Preresponse(self.predicted_text, "subject") if self.predicted_text else None

    async def aclose(self) -> None:
        pass  # nothing was begun


server = AgentServer()
phrases = PhraseBook.load("en")
phrase_audio = PhraseAudio(Path.home() / ".cache" / "museum-line", voice="kokoro af_heart")


@server.rtc_session()
async def museum_line(job: JobContext) -> None:
    voice = openai.TTS(base_url="http://localhost:8880/v1", api_key="none", model="kokoro", voice="af_heart")
    session = AgentSession[None](
        stt=openai.STT(base_url="http://localhost:8000/v1", api_key="none", model="Systran/faster-whisper-small.en"),
        llm=openai.LLM.with_ollama(model="llama3.3:70b"),
        tts=voice,
    )
    agent = PreResponseAgent(
        instructions="You answer calls for a museum. Keep it short.",
        strategy=SubjectStrategy(SUBJECTS, otherwise=PhraseStrategy(phrases, phrase_audio.duration)),
        phrases=phrases,
        phrase_audio=phrase_audio,
    )
    await session.start(agent=agent, room=job.room, session_host=False)  # nobody else in the room may drive it
    pace(session)  # or what is ready starts late
    missing = await asyncio.to_thread(phrase_audio.load, [*agent.fixed_texts, *SUBJECTS.values()])
    await phrase_audio.make(missing, voice)  # once for this voice; until then a phrase is spoken as it is made


if __name__ == "__main__":
    cli.run_app(server)
