"""An agent with pre-responses: `PreResponseAgent` in place of `Agent`, with cached audio and a tool.

    python examples/my_agent.py dev

Install this project first (`pip install -e .`). The agent needs a LiveKit server, and Ollama, speaches and Kokoro on
their default ports; see README.md.
"""

import asyncio
from pathlib import Path

from livekit.agents import AgentServer, AgentSession, JobContext, cli, function_tool
from livekit.agents.voice import room_io
from livekit.plugins import openai

from agent_worker import PhraseAudio, PreResponseAgent, pace

server = AgentServer()
# No participant may control the session or have the agent decode a file. On the room's transcripts, see SECURITY.md.
ROOM = room_io.RoomOptions(audio_input=room_io.AudioInputOptions(pre_connect_audio=False))
phrase_audio = PhraseAudio(Path.home() / ".cache" / "museum-line", voice="kokoro af_heart")


@function_tool
async def opening_hours(day: str) -> str:
    """Return the opening hours of a day of the week."""
    return "closed" if day.lower() == "monday" else "nine to six"


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
        phrase_audio=phrase_audio,
        tools=[opening_hours],
    )
    await session.start(agent=agent, room=job.room, room_options=ROOM, session_host=False)
    pace(session)  # cached audio starts without delay
    missing = await asyncio.to_thread(phrase_audio.load, agent.fixed_texts)
    await phrase_audio.make(missing, voice)  # once for this voice


if __name__ == "__main__":
    cli.run_app(server)
