"""Turn-taking: when does the caller's turn end, and what if it ends without a transcript.

``endpointing`` configures livekit-agents' end-of-turn decision, ``audio_input`` finds the caller's last sound,
``transcript_timeout`` notices speech of which no transcript arrives.

May be imported by every package above; imports only ``core``, ``text`` and ``audio``.
"""
