"""Call any LiveKit agent by voice and measure what the caller hears.

    report = await call(CallOptions(url="ws://localhost:7880", room="demo", utterances=[Wav("hello.wav")]))
    for turn in report.turns:
        print(turn.said, turn.response_gap)

On a command line: ``python -m caller --help``. The report's shapes and units are in `caller.report`.
"""

from caller.audio import Recording
from caller.call import call
from caller.errors import CallError, InputError, NoAgentError, RoomError
from caller.options import CallOptions, Keys, Text, Utterance, Wav
from caller.report import (
    AgentTranscript,
    Backchannel,
    CallerTranscript,
    CallReport,
    Greeting,
    Interim,
    Segment,
    TopicText,
    Turn,
)

__all__ = [
    "AgentTranscript",
    "Backchannel",
    "CallError",
    "CallOptions",
    "CallReport",
    "CallerTranscript",
    "Greeting",
    "InputError",
    "Interim",
    "Keys",
    "NoAgentError",
    "Recording",
    "RoomError",
    "Segment",
    "Text",
    "TopicText",
    "Turn",
    "Utterance",
    "Wav",
    "call",
]
