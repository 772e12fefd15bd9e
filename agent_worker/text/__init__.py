"""Text: what the caller's words mean, which words may be spoken, and text from outside made safe.

``intent`` classifies the caller's words (``intent_model`` is its linear model), ``guard`` checks a pre-response before
it is spoken, ``preamble`` shortens answers, ``speakable`` turns them into what voices can say, ``sanitize`` bounds
provider text, ``messages`` has the translations. The word lists are in ``data/``.

May be imported by every package above; imports only ``core``.
"""
