"""Measure the engine on labelled turns and on dialogues of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from evals.preresponse.dialogues import Dialogue
from evals.preresponse.engine import Call, bare
from evals.preresponse.labels import Turn
from evals.preresponse.moves import Said, asked_for, begun_by_human, is_sorry, said_by_agent
from evals.preresponse.rubric import Grade, grade


@dataclass(frozen=True)
class Graded:
    """A labelled turn, what was said, and how it is graded."""

    turn: Turn
    text: str | None
    grade: Grade


@dataclass
class Moves:
    """What was said in dialogues, beside the human agents.

    Attributes:
        engine: Number of turns by what the caller asked for and the engine's move.
        human: The same of the human agents.
        runs: The longest run of one move, by move, over all dialogues.
        apologies: Sympathy spoken.
        due: Of those, where the human agent was sorry too.
        durations_ms: Of the decisions.
    """

    engine: Counter[tuple[str, str]] = field(default_factory=Counter)
    human: Counter[tuple[str, str]] = field(default_factory=Counter)
    runs: dict[str, int] = field(default_factory=dict)
    apologies: int = 0
    due: int = 0
    durations_ms: list[float] = field(default_factory=list)

    @property
    def turns(self) -> int:
        """Number of turns."""
        return self.engine.total()

    @property
    def silent(self) -> int:
        """Number of turns that begin with the answer."""
        return sum(count for (_, move), count in self.engine.items() if move == Said.NOTHING.value)


async def grade_turns(turns: Iterable[Turn], answer_after_s: float, *, is_bare: bool) -> list[Graded]:
    """Grade the engine on labelled turns, each in a call of its own.

    Args:
        turns: The turns.
        answer_after_s: When the answer is expected.
        is_bare: Whether the agent's words come without punctuation, as those of an interrupted agent do.
    """
    graded = []
    for number, turn in enumerate(turns):
        agent = bare(turn.agent) if is_bare else turn.agent
        text = await Call(answer_after_s, seed=number).say(turn.caller, agent)
        graded.append(Graded(turn, text, grade(turn, text, answer_after_s)))
    return graded


async def compare_moves(dialogues: Sequence[Dialogue], answer_after_s: float) -> Moves:
    """Let the engine take the human agent's place at the beginning of each reply."""
    found = Moves()
    for number, dialogue in enumerate(dialogues):
        call = Call(answer_after_s, seed=number)
        run, last = 0, ""
        for exchange in dialogue.exchanges:
            said = said_by_agent(await call.say(exchange.caller, exchange.agent))
            kind = asked_for(exchange.caller)
            found.engine[kind, said.group] += 1
            if exchange.reply:
                found.human[kind, begun_by_human(exchange.reply)] += 1
            run, last = (run + 1 if said.group == last else 1), said.group
            found.runs[last] = max(run, found.runs.get(last, 0))
            found.apologies += said is Said.SYMPATHY
            found.due += said is Said.SYMPATHY and is_sorry(exchange.reply)
        found.durations_ms += call.durations_ms
    return found
