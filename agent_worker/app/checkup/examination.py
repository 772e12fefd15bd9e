"""What is looked at, and in which order."""

from __future__ import annotations

from collections.abc import AsyncIterator

from agent_worker.app.checkup import own_files, this_machine
from agent_worker.app.checkup.findings import Finding, Status
from agent_worker.app.checkup.livekit_server import examine_livekit
from agent_worker.app.checkup.providers import examine_providers
from agent_worker.core.settings import SettingsT
from agent_worker.providers.preflight import session
from agent_worker.providers.stack import StackDefinition


async def examine(stack: StackDefinition[SettingsT]) -> AsyncIterator[Finding]:
    """Everything that a conversation depends on, each as soon as it is known."""
    settings, findings = own_files.read_settings(stack)
    for finding in findings:
        yield finding
    if settings is None:
        for finding in own_files.examine_files_despite_bad_settings():
            yield finding
        return
    async for finding in _examine_here(stack, settings):
        yield finding
    async with session() as http:
        async for finding in examine_livekit(http, settings):
            yield finding
        async for finding in examine_providers(http, stack, settings):
            yield finding


async def _examine_here(stack: StackDefinition[SettingsT], settings: SettingsT) -> AsyncIterator[Finding]:
    for finding in own_files.examine_prices(settings.prices):
        yield finding
    phrases = list(own_files.examine_phrases(settings.preresponse_phrases, settings.language))
    for finding in phrases:
        yield finding
    if all(finding.status is Status.OK for finding in phrases):
        yield own_files.examine_phrase_audio(stack.build(settings), settings)
    yield this_machine.examine_metrics_folder()
    for finding in this_machine.examine_metrics_service(settings):
        yield finding
    async with session() as http:
        yield await this_machine.examine_worker_port(http, settings.worker_port)
