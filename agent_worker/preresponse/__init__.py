"""The pre-response engine: a fitting phrase is spoken at once while the large model prepares the answer.

``agent`` has the livekit nodes; ``decision`` says when, whether and which pre-response is spoken; ``strategies`` and
``phrases`` say where it comes from; ``answer`` and ``fast_reply`` read the two models; ``speech_router`` finds the
audio of each segment; ``apology`` speaks when an answer fails, ``dead_air`` when one takes long; ``tool_limit`` gives
up tools and ``progress`` lets them report; ``factory`` builds an agent from the settings.

May be imported by ``room``, ``lifecycle`` and ``app``; imports ``turn_taking``, ``text``, ``audio``, ``telemetry``,
``providers`` and ``core``.
"""
