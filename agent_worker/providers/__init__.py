"""The services behind a call: stacks of STT, LLMs, TTS and VAD, and the probes that check them.

Imports ``core`` only. ``app``, ``lifecycle``, ``telemetry`` and the entry scripts may import it.
"""
