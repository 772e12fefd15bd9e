"""What does the fast model say? Asked over an OpenAI-compatible endpoint, in the engine's words."""

from __future__ import annotations

from typing import Any

from benchmarks.appropriateness.candidates import Ask


def fast_model(url: str, model: str, api_key: str = "none", timeout: float = 60.0) -> Ask:
    """A function that asks ``model`` at ``url`` and returns the first sentence of its reply, or an empty string."""
    # Here, so that scoring phrases needs neither of them.
    from openai import OpenAI

    from agent_worker.preresponse import fast_reply
    from agent_worker.providers.stack import FAST_REPLY_MAX_TOKENS

    client = OpenAI(base_url=url, api_key=api_key, timeout=timeout)

    def ask(said: str) -> str:
        reply = client.chat.completions.create(
            model=model,
            messages=_messages(fast_reply.request(fast_reply.DEFAULT_PRERESPONSE_PROMPT, said)),
            max_tokens=FAST_REPLY_MAX_TOKENS,
            temperature=0,
        )
        return fast_reply.first_sentence(reply.choices[0].message.content or "", complete=True) or ""

    return ask


def _messages(chat_ctx: Any) -> Any:
    return [{"role": item.role, "content": item.text_content} for item in chat_ctx.items if item.type == "message"]
