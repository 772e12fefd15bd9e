"""Audio of the agent: the guarded TTS stream, cached phrases, trimmed silence, paced output.

``sound_edges`` finds where sound begins and ends, for every part of the project; it imports numpy only.

May be imported by every package above; imports only ``core`` and ``text``.
"""
