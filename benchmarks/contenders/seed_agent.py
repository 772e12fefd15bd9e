"""``python benchmarks/contenders/seed_agent.py start``: the fast pre-response that this project began with.

The pattern of LiveKit's example `fast-preresponse.py`: when the turn has ended, the small model is asked for a few
words; once they are all there they are spoken, and only then the main model is asked.

Everything else is livekit-agents' default, as in `stock_agent.py`, but one: preemptive generation is off. With it the
main model would be asked before the turn's end, and so before the pre-response, which the pattern does not do.
"""

from __future__ import annotations

from livekit.agents import Agent, AgentSession, JobContext, llm

from benchmarks.contenders.common import (
    FAST_MODEL,
    INSTRUCTIONS,
    MAIN_MODEL,
    hearing,
    language_model,
    report_turns,
    serve,
    voice,
)

PROMPT = (
    "Generate a short instant response to the user's message with 5 to 10 words. Do not answer the questions directly. "
    "Examples: OK, Hm..., let me think about that, wait a moment, that's a good question, etc."
)
CONTEXT_ITEMS = 3


class SeedAgent(Agent):
    def __init__(self) -> None:
        super().__init__(instructions=INSTRUCTIONS)
        self._fast_llm = language_model(FAST_MODEL)

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        chat_ctx = turn_ctx.copy(exclude_instructions=True, exclude_function_call=True).truncate(
            max_items=CONTEXT_ITEMS
        )
        chat_ctx.items.insert(0, llm.ChatMessage(role="system", content=[PROMPT]))
        chat_ctx.items.append(new_message)
        preresponse = ""
        async for text in self._fast_llm.chat(chat_ctx=chat_ctx).to_str_iterable():
            preresponse += text
        self.session.say(preresponse, add_to_chat_ctx=False)


async def entrypoint(job: JobContext) -> None:
    session = AgentSession[None](
        stt=hearing(),
        llm=language_model(MAIN_MODEL),
        tts=voice(),
        turn_handling={"preemptive_generation": {"enabled": False}},
    )
    report_turns(session, job.room)
    await session.start(agent=SeedAgent(), room=job.room)


if __name__ == "__main__":
    serve(entrypoint)
