"""``python benchmarks/contenders/stock_agent.py start``: the voice agent of LiveKit's quickstart.

An `AgentSession` of livekit-agents 1.8 with the three services and defaults otherwise. In `start` mode, without an
account of LiveKit Cloud, these are:

- VAD: the Silero model in livekit-local-inference; speech ends after 0.25 s of silence.
- End of turn: `inference.TurnDetector()`, the local model v1-mini; 0.3 s after the speech, or 2.5 s if the
  model expects the caller to continue.
- Interruptions by VAD.
- Preemptive generation: the language model is requested when the final transcript arrives, before the end of turn is
  certain. Speech is synthesized only after that. PREEMPTIVE_TTS=true synthesizes early too.
"""

from __future__ import annotations

import os

from livekit.agents import Agent, JobContext

from benchmarks.contenders.common import INSTRUCTIONS, publish_turns, serve, session


async def entrypoint(job: JobContext) -> None:
    """Serve a call."""
    preemptive = os.environ.get("PREEMPTIVE_TTS") == "true"
    options = {"turn_handling": {"preemptive_generation": {"preemptive_tts": True}}} if preemptive else {}
    agent_session = session(**options)
    publish_turns(agent_session, job.room)
    await agent_session.start(agent=Agent(instructions=INSTRUCTIONS), room=job.room)


if __name__ == "__main__":
    serve(entrypoint)
