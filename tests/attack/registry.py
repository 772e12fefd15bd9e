"""The attacks by name, and what each needs to know of the system."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A running system. What is not given is not attacked.

    Attributes:
        page: Address of the page, without a path.
        page_health: Address of its health check on a port of its own, if it has one.
        page_password: The page's password, if it asks for one.
        livekit: LiveKit's address for callers.
        api_key: LiveKit's API key, to look at rooms and to join one as another participant.
        api_secret: Its secret.
        metrics: Address of the metrics page.
        metrics_folder: ``PROMETHEUS_MULTIPROC_DIR`` on this machine.
    """

    page: str = ""
    page_health: str = ""
    page_password: str = ""
    livekit: str = ""
    api_key: str = ""
    api_secret: str = ""
    metrics: str = ""
    metrics_folder: Path | None = None


class BreachError(Exception):
    """An attack succeeded. The message says what the attacker got."""


class UnobservableError(Exception):
    """The attack was not tried: from here nobody could tell whether it succeeded. The message says why."""


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: For the command line.
        goal: What the attacker wants.
        needs: Attributes of the target without which it cannot be tried.
        run: Tries it; raises :class:`BreachError` if it succeeds.
    """

    name: str
    goal: str
    needs: tuple[str, ...]
    run: Callable[[Target], Awaitable[None]]

    def missing(self, target: Target) -> list[str]:
        """Return the attributes that it needs and the target lacks."""
        return [name for name in self.needs if not getattr(target, name)]


ATTACKS: dict[str, Attack] = {}


def attack(
    goal: str, *needs: str
) -> Callable[[Callable[[Target], Awaitable[None]]], Callable[[Target], Awaitable[None]]]:
    """Register a function as an attack under its own name."""

    def register(run: Callable[[Target], Awaitable[None]]) -> Callable[[Target], Awaitable[None]]:
        name = run.__name__.replace("_", "-")
        ATTACKS[name] = Attack(name, goal, needs, run)
        return run

    return register
