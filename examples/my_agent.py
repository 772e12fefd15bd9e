"""A pre-response in an agent of your own: swap `Agent` for `PreResponseAgent` and name a fast model.

    python examples/my_agent.py dev

Install this project first (`pip install -e .`). It needs a LiveKit server, and Ollama, speaches and Kokoro on their
usual ports; see README.md.
"""

from livekit.agents import AgentServer, AgentSession, JobContext, cli, function_tool
from livekit.plugins import openai

from agent_worker.playout import pace
from agent_worker.preresponse import PreResponseAgent

server = AgentServer()


@function_tool
async def opening_hours(day: str) -> str:
    """When the museum is open on a day of the week."""
    return "closed" if day.lower() == "monday" else "nine to six"


@server.rtc_session()
async def museum_line(job: JobContext) -> None:
    session = AgentSession[None](
        stt=openai.STT(base_url="http://localhost:8000/v1", api_key="none", model="Systran/faster-whisper-small.en"),
        llm=openai.LLM.with_ollama(model="llama3.3:70b"),
        tts=openai.TTS(base_url="http://localhost:8880/v1", api_key="none", model="kokoro", voice="af_heart"),
    )
    agent = PreResponseAgent(
        instructions="You answer calls for a museum. Keep it short.",
        fast_llm=openai.LLM.with_ollama(model="llama3.1:8b"),
        tools=[opening_hours],
    )
    await session.start(agent=agent, room=job.room)
    pace(session)  # or what is ready starts late


if __name__ == "__main__":
    cli.run_app(server)
