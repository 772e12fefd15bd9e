"""Turn-taking: when does the caller's turn end, what takes the floor, and what is no turn at all.

``endpointing`` configures livekit-agents' end-of-turn decision, ``audio_input`` finds the caller's last sound and
``loudness`` measures it, ``wordless`` recognises transcripts of sounds, ``caller_transcript`` keeps the text of the
turn without them, ``transcript_timeout`` notices speech of which no transcript arrives, ``pause_length`` waits for a
caller who dictates or has only begun, ``soft_backchannel`` makes a listener's sound meanwhile. ``floor`` wires to a
session what takes the floor: ``overlap`` (sounds over the agent's speech), ``overlap_words`` (words over it),
``continuation`` (a turn that goes on) and ``firm_end`` (when tools may act). ``docs/turn-taking.md`` has a section for
each.

May be imported by every package above; imports only ``core``, ``text`` and ``audio``.
"""
