"""``python -m evals.preresponse --turns FOLDER --dialogues FOLDER``: score the pre-responses on turns of people.

``--turns`` holds ``judged.tsv``: turns with labels that a person wrote before any engine ran. ``--dialogues`` holds
DSTC10 track 2 (``logs.json``) and HarperValley (``transcript/*.json``), whose human agents' moves are the comparison.
The part that is kept aside is left out unless it is asked for, and its turns are never shown.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from evals.preresponse import dialogues, labels, report
from evals.preresponse.measure import compare_moves, grade_turns
from evals.preresponse.parts import PARTS

#: When the answer is expected once the turn has ended: at once, from a fast model in the cloud, later, from a tool.
ANSWER_AFTER_S = (0.7, 0.9, 1.6, 3.5)


def main() -> None:
    """Score as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m evals.preresponse", description=__doc__)
    parser.add_argument("--turns", type=Path, help="folder with judged.tsv")
    parser.add_argument("--dialogues", type=Path, help="folder with dialogues of people")
    parser.add_argument("--part", choices=PARTS, nargs="+", default=["test"], help="default: test, not trained on")
    parser.add_argument("--answer-after", type=float, nargs="+", default=ANSWER_AFTER_S, help="seconds")
    parser.add_argument("--errors", action="store_true", help="show what is not right, except in the part kept aside")
    options = parser.parse_args()
    if not (options.turns or options.dialogues):
        parser.error("needs --turns or --dialogues")
    asyncio.run(_score(options))


async def _score(options: argparse.Namespace) -> None:
    for part in options.part:
        print(f"\n## Part {part}\n")
        for answer_after_s in options.answer_after:
            if options.turns:
                await _score_turns(options, part, answer_after_s)
            if options.dialogues:
                found = [each for each in dialogues.read(options.dialogues) if each.part == part]
                for source in sorted({each.source for each in found}):
                    of_source = [each for each in found if each.source == source]
                    print(f"\n{source}, {len(of_source)} dialogues. ", end="")
                    print(report.moves(await compare_moves(of_source, answer_after_s), answer_after_s))


async def _score_turns(options: argparse.Namespace, part: str, answer_after_s: float) -> None:
    turns = labels.of_parts(labels.read(options.turns), [part])
    for is_bare, context in ((False, "as written"), (True, "without punctuation")):
        graded = await grade_turns(turns, answer_after_s, is_bare=is_bare)
        print(f"\n{report.grades(graded, answer_after_s, context)}\n\n{report.apologies(graded)}")
        if options.errors and part != "kept-aside":
            print(report.errors(graded))


if __name__ == "__main__":
    main()
