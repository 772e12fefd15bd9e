"""The command line: ``python -m caller --room demo --wav hello.wav``.

Exit codes: 0 every turn got audible speech back; 1 some turn got none; 2 the call cannot be tried as asked;
3 could not join; 4 no agent in the room; 130 interrupted.
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path

from caller.call import call
from caller.dispatch import place
from caller.errors import CallError, InputError
from caller.options import CallOptions, Keys, Text, Wav
from caller.report import Turn


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    arguments = vars(_parser().parse_args(argv))
    # Options that were not passed are left out, so that only CallOptions knows the defaults.
    options = CallOptions(**{"utterances": [], **{k: v for k, v in arguments.items() if v is not None}})
    silence_livekit_logs()
    try:
        return asyncio.run(_run(options))
    except CallError as error:
        for line in str(error).splitlines():
            print(f"caller: {line}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("caller: interrupted, left the room", file=sys.stderr)
        return 130


async def _run(options: CallOptions) -> int:
    if options.dial:
        if problems := options.problems():
            raise InputError(problems)
        print(f"the agent {options.agent_name} calls from the room {await place(options)}", flush=True)
        return 0
    number = 0

    def show(turn: Turn) -> None:
        nonlocal number
        number += 1
        print(describe(number, turn), flush=True)

    report = await call(options, show)
    unanswered = [str(i) for i, turn in enumerate(report.turns, 1) if turn.first_heard is None]
    if unanswered:
        print(f"caller: no audible reply in turn {', '.join(unanswered)}", file=sys.stderr)
        return 1
    return 0


def describe(number: int, turn: Turn) -> str:
    """Return a turn as one line."""
    if turn.response_gap is None:
        return f"turn {number}  {turn.said}: no reply heard"
    speech = sum(segment.end - segment.start for segment in turn.heard)
    line = f"turn {number}  {turn.said}: reply after {turn.response_gap:.3f} s, {speech:.1f} s of speech"
    if count := len(turn.backchannels):
        line += f"; {count} backchannel{'s' if count > 1 else ''}"
    if turn.understood:
        line += f"; understood {turn.understood!r}"
    if turn.answer:
        line += f"; answered {turn.answer!r}"
    return line


def _parser() -> argparse.ArgumentParser:
    default = {f.name: f.default for f in fields(CallOptions) if f.default is not MISSING}
    parser = argparse.ArgumentParser(
        prog="caller" if Path(sys.argv[0]).name == "caller" else "python -m caller",
        description="Call a LiveKit agent by voice and measure what a caller hears.",
        epilog=f"Exit codes: {' '.join((__doc__ or '').partition('Exit codes: ')[2].split())}",
    )

    def seconds(name: str, what: str) -> None:
        standard = default[name.replace("-", "_")]
        shown = f" (default {standard:g})" if isinstance(standard, float) else ""
        waits.add_argument(f"--{name}", type=float, metavar="SECONDS", help=what + shown)

    where = parser.add_argument_group("room")
    where.add_argument("--url", help="LiveKit server, ws://HOST:PORT (default: LIVEKIT_URL)")
    where.add_argument("--room", help="room to join")
    where.add_argument("--token", help="join by this token, instead of LIVEKIT_API_KEY and LIVEKIT_API_SECRET")
    where.add_argument("--identity", help="name in the room (default: caller- and a random part)")
    where.add_argument("--agent-name", metavar="NAME", help="dispatch this agent (a worker's AGENT_NAME) to the room")
    where.add_argument("--agent-metadata", metavar="TEXT", help="metadata of that dispatch")

    what = parser.add_argument_group("utterances, one turn each, in the order given")
    what.add_argument("--wav", dest="utterances", type=Wav, action="append", metavar="FILE", help="a WAV file")
    what.add_argument(
        "--text",
        dest="utterances",
        type=Text,
        action="append",
        metavar="SENTENCE",
        help="a sentence, spoken by the speech endpoint",
    )
    what.add_argument(
        "--keys", dest="utterances", type=Keys, action="append", metavar="KEYS", help="keys of a telephone, such as 42#"
    )
    what.add_argument("--speech-url", help="default: CALLER_SPEECH_URL, or http://localhost:8880/v1")
    what.add_argument("--speech-model", help=f"default: {default['speech_model']}")
    what.add_argument("--speech-voice", help=f"default: {default['speech_voice']}")

    where.add_argument("--dial", metavar="NUMBER", help="only have the agent --agent-name call this telephone")
    where.add_argument(
        "--phone", action="store_const", const=True, help="call by telephone: 8 kHz mu-law, a participant of kind SIP"
    )

    waits = parser.add_argument_group("timeouts")
    seconds("barge-in", "begin the next utterance this long after the agent's first sound, over its speech")
    seconds("quiet", "silence after which the agent has finished")
    seconds("reply-timeout", "silence after which a reply is given up")
    seconds("turn-timeout", "longest reply")
    seconds("greeting-wait", "for the agent to begin a greeting")
    seconds("agent-timeout", "for an agent to be in the room")
    seconds("connect-timeout", "for the server to accept the connection")

    out = parser.add_argument_group("output")
    out.add_argument("--json", type=Path, metavar="FILE", help="the report (shape: python -m pydoc caller.report)")
    out.add_argument("--record", type=Path, metavar="FILE", help="the agent's audio, as WAV")
    out.add_argument("--record-caller", type=Path, metavar="FILE", help="the caller's audio, as WAV")
    out.add_argument(
        "--topic", dest="topics", action="append", metavar="NAME", help="also keep text streams of this topic"
    )
    return parser


def silence_livekit_logs() -> None:
    """Keep livekit's logs off stderr: it logs every retry, with the token in it."""
    if os.environ.get("LIVEKIT_RTC_DEBUG", "").lower() not in ("1", "true"):
        logger = logging.getLogger("livekit")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a thread of livekit's that calls into an interpreter at shutdown aborts the process.
    os._exit(code)
