"""``python benchmarks/contenders/stock_flux_agent.py start``: ``stock_agent.py`` with Deepgram Flux.

As LiveKit's documentation of turns and of Deepgram has it: the recogniser decides the end of the turn
(`turn_detection="stt"`), and its eager end, from a confidence of 0.5 on, starts the model early (preemptive generation
is on by default). The threshold is the one of our worker.
"""

from __future__ import annotations

import os

from livekit.agents import Agent, JobContext
from livekit.plugins import deepgram

from benchmarks.contenders.common import INSTRUCTIONS, publish_turns, serve, session

_EAGER_END_THRESHOLD = 0.5


async def entrypoint(job: JobContext) -> None:
    """Serve a call."""
    url = os.environ["DEEPGRAM_BASE_URL"].replace("/v1/", "/v2/")
    stt = deepgram.STTv2(model="flux-general-en", eager_eot_threshold=_EAGER_END_THRESHOLD, base_url=url)
    agent_session = session(stt=stt, turn_handling={"turn_detection": "stt"})
    publish_turns(agent_session, job.room)
    await agent_session.start(agent=Agent(instructions=INSTRUCTIONS), room=job.room)


if __name__ == "__main__":
    serve(entrypoint)
