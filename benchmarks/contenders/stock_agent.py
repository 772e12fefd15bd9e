"""``python benchmarks/contenders/stock_agent.py start``: LiveKit's own voice agent, to measure ours against.

What LiveKit's quickstart builds in livekit-agents 1.8: an `AgentSession` of the three services, everything else left at
its default. Those defaults are, in `start` mode without a LiveKit Cloud account:

- VAD: the Silero model inside livekit-local-inference; speech ends after 0.25 s of silence.
- End of turn: `inference.TurnDetector()`, which is the local model v1-mini; 0.3 s after the speech, or 2.5 s where the
  model expects more of it.
- Interruptions by VAD.
- Preemptive generation: the language model is asked when the final transcript is there, before the end of turn is
  certain. Its speech is made only after that. PREEMPTIVE_TTS=true makes the speech early too.
"""

from __future__ import annotations

import os

from livekit.agents import Agent, AgentSession, JobContext

from benchmarks.contenders.common import INSTRUCTIONS, MAIN_MODEL, hearing, language_model, report_turns, serve, voice


async def entrypoint(job: JobContext) -> None:
    session = AgentSession[None](
        stt=hearing(),
        llm=language_model(MAIN_MODEL),
        tts=voice(),
        **_preemptive_tts(),  # type: ignore[arg-type]
    )
    report_turns(session, job.room)
    await session.start(agent=Agent(instructions=INSTRUCTIONS), room=job.room)


def _preemptive_tts() -> dict[str, object]:
    asked = os.environ.get("PREEMPTIVE_TTS") == "true"
    return {"turn_handling": {"preemptive_generation": {"preemptive_tts": True}}} if asked else {}


if __name__ == "__main__":
    serve(entrypoint)
