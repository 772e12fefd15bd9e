"""``python -m benchmarks.appropriateness``: does what each strategy says at once fit what callers said?

Scores over data/tune.jsonl, validation.jsonl and heldout.jsonl, apart, and writes
docs/benchmarks/appropriateness.{md,json}. Of the held-out turns only totals are printed and written.
``--part tune`` is for work on the rules, ``--part validation`` for the choice between models.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agent_worker.text.intent_classifier import classify
from benchmarks.appropriateness import candidates, report
from benchmarks.appropriateness.candidates import Candidate
from benchmarks.appropriateness.fast_model import fast_model
from benchmarks.appropriateness.scoring import Verdict, judge
from benchmarks.appropriateness.turns import PARTS, Turn, general_forbidden, read

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
_MODEL_STRATEGIES = ("llm", "hybrid")
_REPEATS = 5


def main() -> None:
    arguments = _arguments()
    general = general_forbidden()
    verdicts: dict[str, dict[str, list[Verdict]]] = {}
    timings: dict[str, list[float]] = {}
    for part in arguments.part:
        turns = read(part)
        timings[part] = _time(turns)
        verdicts[part] = {
            name: [judge(turn, say(turn), general) for turn in turns] for name, say in _strategies(arguments).items()
        }
    command = " ".join(["python -m benchmarks.appropriateness", *sys.argv[1:]])
    result = report.Result(verdicts, timings, command, arguments.llm_model if arguments.llm_url else None)
    print(report.summary(result))
    if arguments.errors:
        _show_errors(verdicts.get("tune", {}))
    if arguments.out:
        report.write(result, arguments.out)
        print(f"written to {arguments.out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.appropriateness", description=__doc__)
    parser.add_argument("--strategy", choices=("phrase", *_MODEL_STRATEGIES, "all"), default="phrase")
    parser.add_argument("--part", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--llm-url", help="OpenAI-compatible endpoint of the fast model, such as http://host:port/v1")
    parser.add_argument("--llm-model", default="llama-3.1-8b-instant")
    parser.add_argument("--budget", type=float, default=0.5, help="seconds that hybrid gives the model")
    parser.add_argument("--errors", action="store_true", help="print what is wrong, on tune only")
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of appropriateness.md and .json")
    arguments = parser.parse_args()
    if arguments.strategy != "phrase" and not arguments.llm_url:
        parser.error(f"--strategy {arguments.strategy} asks a model: it needs --llm-url")
    return arguments


def _strategies(arguments: argparse.Namespace) -> dict[str, Callable[[Turn], Candidate]]:
    chosen = ("phrase", *_MODEL_STRATEGIES) if arguments.strategy == "all" else (arguments.strategy,)
    found: dict[str, Callable[[Turn], Candidate]] = {}
    if "phrase" in chosen:
        found["phrase"] = candidates.phrase
    if set(_MODEL_STRATEGIES) & set(chosen):
        ask = fast_model(arguments.llm_url, arguments.llm_model)
        if "llm" in chosen:
            found["llm"] = lambda turn: candidates.llm(turn, ask)
        if "hybrid" in chosen:
            found["hybrid"] = lambda turn: candidates.llm(turn, ask, arguments.budget)
    return found


def _time(turns: Sequence[Turn]) -> list[float]:
    for turn in turns:  # the first call of a language makes its rules
        classify(turn.caller, turn.language, turn.agent)
    return sorted(_milliseconds(turn) for turn in turns for _ in range(_REPEATS))


def _milliseconds(turn: Turn) -> float:
    started = time.perf_counter()
    classify(turn.caller, turn.language, turn.agent)
    return (time.perf_counter() - started) * 1000


def _show_errors(strategies: dict[str, list[Verdict]]) -> None:
    for name, verdicts in strategies.items():
        for verdict in verdicts:
            if not verdict.right:
                turn, said = verdict.turn, verdict.candidate
                print(f"{name} {turn.id} {list(turn.kinds)} judged {said.intent}: {turn.agent!r} {turn.caller!r}")
                print(f"    said {said.texts[0] if said.texts else None!r} ({said.refused or said.source})")


if __name__ == "__main__":
    main()
