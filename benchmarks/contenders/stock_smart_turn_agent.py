"""``python benchmarks/contenders/stock_smart_turn_agent.py start``: ``stock_agent.py`` with smart-turn.

As the quickstart of `smart-turn-livekit` has it: Silero's VAD of the plugin, which calls the speech ended after 0.25 s
of silence, and the end of the turn after 0.3 s, or 2.5 s if smart-turn expects the caller to continue. The weights are
smart-turn v3.2, which Pipecat and our worker use too (`scripts/get smart-turn`), in place of a download.
"""

from __future__ import annotations

from livekit.agents import Agent, JobContext
from livekit.plugins import silero
from smart_turn_livekit import SmartTurnDetector

from agent_worker.turn_taking.smart_turn import weights_path
from benchmarks.contenders.common import INSTRUCTIONS, publish_turns, serve, session


async def entrypoint(job: JobContext) -> None:
    """Serve a call."""
    detector = SmartTurnDetector(model_path=str(weights_path()), languages=("en",))
    agent_session = session(
        vad=silero.VAD.load(min_silence_duration=0.25),
        turn_handling={"turn_detection": detector, "endpointing": {"min_delay": 0.3, "max_delay": 2.5}},
    )
    publish_turns(agent_session, job.room)
    await agent_session.start(agent=Agent(instructions=INSTRUCTIONS), room=job.room)


if __name__ == "__main__":
    serve(entrypoint)
