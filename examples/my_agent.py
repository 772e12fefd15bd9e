"""A pre-response in an agent of your own: swap `Agent` for `PreResponseAgent` and give it a place for audio.

    python examples/my_agent.py dev

Install this project first (`pip install -e .`). It needs a LiveKit server, and Ollama, speaches and Kokoro on their
usual ports; see README.md.
"""

import asyncio
from pathlib import Path

from livekit.agents import AgentServer, AgentSession, JobContext, cli, function_tool
from livekit.plugins import openai

from agent_worker.audio.output import pace
from agent_worker.audio.phrase_cache import PhraseAudio
from agent_worker.preresponse.agent import PreResponseAgent

server = AgentServer()
phrase_audio = PhraseAudio(Path.home() / ".cache" / "museum-line", voice="kokoro af_heart")


@function_tool
async def opening_hours(day: str) -> str:
    """When the museum is open on a day of the week."""
    return "closed" if day.lower() == "monday" else "nine to six"


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
        phrase_audio=phrase_audio,
        tools=[opening_hours],
    )
    await session.start(agent=agent, room=job.room, session_host=False)  # nobody else in the room may drive it
    pace(session)  # or what is ready starts late
    missing = await asyncio.to_thread(phrase_audio.load, agent.fixed_texts)
    await phrase_audio.make(missing, voice)  # once for this voice; until then a phrase is spoken as it is made


if __name__ == "__main__":
    cli.run_app(server)
