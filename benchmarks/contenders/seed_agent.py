"""``python benchmarks/contenders/seed_agent.py start``: the fast pre-response that this project started with.

The pattern of LiveKit's example `fast-preresponse.py`: when the turn has ended, the small model is asked for a few
words; when they are complete they are spoken, and only then the main model is asked.

Everything else is as in `stock_agent.py`, except that preemptive generation is off: it would request the
main model before the turn's end, and so before the pre-response.
"""

from __future__ import annotations

from livekit.agents import Agent, JobContext, llm

from benchmarks.contenders.common import INSTRUCTIONS, language_model, publish_turns, serve, session
from benchmarks.harness.simulation import FAST_MODEL

_PROMPT = (
    "Generate a short instant response to the user's message with 5 to 10 words. Do not answer the questions directly. "
    "Examples: OK, Hm..., let me think about that, wait a moment, that's a good question, etc."
)
_CONTEXT_ITEMS = 3


class SeedAgent(Agent):
    """An agent that speaks the fast model's reply before the main model is asked."""

    def __init__(self) -> None:
        """Create the fast model."""
        super().__init__(instructions=INSTRUCTIONS)
        self._fast_llm = language_model(FAST_MODEL)

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """Speak the fast model's complete reply."""
        chat_ctx = turn_ctx.copy(exclude_instructions=True, exclude_function_call=True).truncate(
            max_items=_CONTEXT_ITEMS
        )
        chat_ctx.items.insert(0, llm.ChatMessage(role="system", content=[_PROMPT]))
        chat_ctx.items.append(new_message)
        preresponse = ""
        async for text in self._fast_llm.chat(chat_ctx=chat_ctx).to_str_iterable():
            preresponse += text
        self.session.say(preresponse, add_to_chat_ctx=False)


async def entrypoint(job: JobContext) -> None:
    """Serve a call."""
    agent_session = session(turn_handling={"preemptive_generation": {"enabled": False}})
    publish_turns(agent_session, job.room)
    await agent_session.start(agent=SeedAgent(), room=job.room)


if __name__ == "__main__":
    serve(entrypoint)
