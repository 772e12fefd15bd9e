"""A real call and a real Prometheus that scrapes it: every query of every panel and rule is run."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import pytest
import pytest_asyncio

from agent_worker.telemetry.list_prices import list_price_of_llm, list_price_of_stt
from monitoring import board
from monitoring.board import Panel, Target, TimeRange
from monitoring.monitored_system import monitored_system, wait_until_counted, wait_until_scraped
from monitoring.prometheus_server import Prometheus, Series
from page_server.settings import is_built
from testbed.conversation import converse
from testbed.processes import free_port
from testbed.services import Ports, running
from tests.monitoring.known import OF_OTHERS, of_canary, of_page
from tests.monitoring.promql import names_in
from tests.monitoring.test_rules import ALERTS, RECORDED

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.real_models, pytest.mark.asyncio(loop_scope="session")]

SENTENCES = (
    "Can you find me a recipe for apple pie?",  # a search: the fast model is asked, too
    "How can I sleep better at night?",
    "Goodbye, and have a nice day.",  # nothing is said before the answer to a goodbye: both kinds of turn occur
)

#: Panels that a healthy short call rightly leaves empty, if agent-metrics' version tells nothing about itself.
OF_ITSELF = {"Processes and files", "What agent-metrics could not do", "Ledger"}


@dataclass(frozen=True)
class Call:
    """A call that is over, and the Prometheus that watched it.

    Attributes:
        records: The caller's turns, as the worker sent them to the room.
    """

    prometheus: Prometheus
    records: list[dict[str, Any]]
    time_range: TimeRange

    async def total(self, metric: str) -> float:
        return sum(one.values[-1] for one in await self.prometheus.value(metric, self.time_range.end))

    async def by(self, label: str, metric: str) -> dict[str, float]:
        found = await self.prometheus.value(f"sum by ({label}) ({metric})", self.time_range.end)
        return {one.labels[label]: one.values[-1] for one in found}

    async def ask(self, name: str, target: Target) -> list[Series]:
        return await self.prometheus.ask(target, self.time_range, board.variables(name))

    async def shown(self, title: str) -> float:
        """The one number that a panel of the overview shows at the end of the call."""
        panel = next(panel for panel in board.panels("overview") if panel.title == title)
        (target,) = panel.targets
        (series,) = await self.ask("overview", target)
        return series.values[-1]

    def heard(self, *instants: str) -> int:
        """The number of turns that had all these moments."""
        return sum(all(record["instants"][name] is not None for name in instants) for record in self.records)

    def can_have_data(self, expr: str) -> bool:
        """Whether what a query counts has happened in this call: some of it depends on the speed of the machine.

        A request to the fast model is given up if its first token is late. An answer that is quick has no pre-response
        before it, and not every pre-response that a record names was heard first.
        """
        if 'role="fast"' in expr:
            return self.heard("fast_first_token") > 0
        if 'reply="preresponse"' in expr:
            return self.heard("preresponse_start") > 0
        if "livekit_seam_seconds" in expr:
            return self.heard("preresponse_end", "answer_start") > 0
        return "page_" not in expr or is_built()

    def sum_of(self, field: str) -> float:
        return sum(record[field] or 0.0 for record in self.records)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def call(tmp_path_factory: pytest.TempPathFactory, prometheus_binary: str) -> AsyncIterator[Call]:
    ports, port, folder = Ports.free(), free_port(), tmp_path_factory.mktemp("watched")
    # The fast model is asked, and a phrase takes its place if it is slow.
    settings = {"ANSWER_MAX_TOKENS": "20", "PRERESPONSE_STRATEGY": "hybrid", "PRERESPONSE_BUDGET": "0.5"}
    services = monitored_system("fast-preresponse.py", ports, port, folder, settings)
    async with running(services, folder):
        start, prometheus = time.time(), Prometheus(port)
        await wait_until_scraped(prometheus)
        _, report = await converse(ports, "watched", SENTENCES, lambda turn: None)
        records = [record for text in report.texts if (record := json.loads(text.text))["caller"]]
        await wait_until_counted(prometheus, len(records))
        yield Call(prometheus, records, whole_steps(start, time.time()))


def whole_steps(start: float, end: float) -> TimeRange:
    """A range whose last point is its end, not up to a step before it: what was waited for is seen there."""
    return TimeRange(end - math.ceil(end - start), end, scrape_interval=1)


def has_data(answer: Iterable[Series]) -> bool:
    return any(math.isfinite(value) for series in answer for value in series.values)


@pytest.mark.parametrize(
    ("name", "panel"),
    [pytest.param(name, panel, id=f"{name}: {panel.title}") for name in board.BOARDS for panel in board.panels(name)],
)
async def test_every_query_of_a_panel_returns_data(call: Call, name: str, panel: Panel) -> None:
    for target in panel.targets:
        answer = await call.ask(name, target)
        told = panel.title not in OF_ITSELF or await call.prometheus.value('{__name__=~"agent_metrics_.+"}')
        assert has_data(answer) or not (told and call.can_have_data(target.expr)), target.expr
        named = set(re.findall(r"\{\{(\w+)\}\}", target.legend))
        assert all(named <= set(series.labels) for series in answer), target.legend


@pytest.mark.parametrize("name", board.BOARDS)
async def test_version_of_the_worker_is_marked_where_it_appears(call: Call, name: str) -> None:
    (mark,) = await call.ask(name, board.deployments(name))
    assert mark.labels.keys() == {"version"}
    assert has_data([mark])


@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: f"{rule['record']} {rule.get('labels', '')}")
async def test_every_recording_rule_has_recorded_data(call: Call, rule: Mapping[str, Any]) -> None:
    assert has_data(await call.prometheus.value(rule["expr"], call.time_range.end))
    assert has_data(await call.prometheus.value(rule["record"], call.time_range.end))


async def test_every_rule_is_healthy_and_no_alert_fires(call: Call) -> None:
    evaluated = await call.prometheus.rules()
    assert {rule["name"] for rule in evaluated} == {
        rule.get("record") or rule["alert"] for rule in [*RECORDED, *ALERTS]
    }
    assert {rule["health"] for rule in evaluated} == {"ok"}
    assert not [rule["name"] for rule in evaluated if rule.get("state") == "firing"]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
async def test_every_alert_asks_for_series_that_are_there(call: Call, rule: Mapping[str, Any]) -> None:
    await call.prometheus.value(rule["expr"], call.time_range.end)
    asked = {selector.metric for selector in names_in(rule["expr"]).selectors}
    not_there = {**OF_OTHERS, **of_canary(), **({} if is_built() else of_page())}
    for metric in asked - not_there.keys():
        assert has_data(await call.prometheus.value(metric, call.time_range.end)), metric


async def test_turns_and_waits_are_those_of_the_turn_records(call: Call) -> None:
    assert await call.total("livekit_conversation_turns_total") == len(call.records) == len(SENTENCES)
    assert await call.total("livekit_conversations_total") == 1
    for name in ("response_gap", "answer_gap", "transcription_delay", "end_of_turn_delay"):
        metric = f"livekit_{name}_seconds"
        assert await call.total(f"{metric}_sum") == pytest.approx(call.sum_of(name))
        assert await call.total(f"{metric}_count") == sum(record[name] is not None for record in call.records)
    began = await call.by("reply", "livekit_response_gap_seconds_count")
    assert began["preresponse"] == call.heard("preresponse_start")
    assert began["answer"] == len(call.records) - call.heard("preresponse_start") > 0
    outcomes = await call.by("outcome", "livekit_preresponses_total")
    told = [record["preresponse_outcome"] for record in call.records]
    assert {name: count for name, count in outcomes.items() if count} == {name: told.count(name) for name in told}
    assert await call.total("livekit_interruptions_total") == sum(record["interrupted"] for record in call.records)


async def test_tokens_and_cost_agree(call: Call) -> None:
    tokens = await call.by("type", "livekit_llm_tokens_total")
    by_model = await call.by("type", "livekit_model_tokens_total")
    assert min(tokens.values()) > 0
    assert tokens == {type_: by_model[type_] for type_ in tokens}
    assert await call.total("livekit_total_tokens_total") == sum(tokens.values())
    fixed = {
        "llm": tokens["prompt"] * 1e-5 + tokens["completion"] * 3e-5,
        "stt": await call.total("livekit_stt_duration_seconds_total") * 1e-4,
        "tts": await call.total("livekit_tts_chars_total") * 1.5e-5,
    }
    for component, spent in fixed.items():
        assert await call.total(f"livekit_{component}_cost_total") == pytest.approx(spent)


async def test_cost_in_us_dollars_is_that_of_the_list_prices(call: Call) -> None:
    prompt = await call.by("model", 'livekit_model_tokens_total{type="prompt"}')
    completion = await call.by("model", 'livekit_model_tokens_total{type="completion"}')
    prices = {model: list_price_of_llm("groq", model) for model in prompt}
    cost = await call.by("component", "livekit_cost_usd_total")
    assert cost["llm"] == pytest.approx(
        sum(price.of(prompt[model], completion[model]) for model, price in prices.items() if price)
    )
    heard = list_price_of_stt("deepgram", "nova-3")
    assert heard is not None
    assert cost["stt"] == pytest.approx(heard.of(await call.total("livekit_stt_duration_seconds_total")))
    assert cost["tts"] > 0


async def test_overview_shows_what_the_turn_records_say(call: Call) -> None:
    began = call.heard("preresponse_start") / len(call.records)
    assert await call.shown("Turns that began with a pre-response") == pytest.approx(began)
    assert await call.shown("Active conversations") == 0
    errors = await call.total("livekit_errors_total")  # on a slow machine a request may be retried
    assert await call.shown("Errors per turn") == pytest.approx(errors / len(call.records))
    # Prometheus stretches what it saw over the range that was asked for: the range began with the call.
    assert await call.shown("Turns") == pytest.approx(len(call.records), rel=0.25)
    below, above = await bucket_of(call, median(record["response_gap"] for record in call.records))
    assert below <= await call.shown("First sound, median") <= above


async def bucket_of(call: Call, wait: float) -> tuple[float, float]:
    """All that a histogram keeps of a value."""
    limits = sorted(float(limit) for limit in await call.by("le", "livekit_response_gap_seconds_bucket"))
    above = next(limit for limit in limits if wait <= limit)
    return max([0.0, *(limit for limit in limits if limit < wait)]), above
