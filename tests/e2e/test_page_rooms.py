"""A session of the page is one call: a visitor who joins again after its end gets no other room and no agent."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from livekit import api, rtc

from agent_worker.core.settings import load
from page_server.rooms import LiveKitRooms
from page_server.sessions import Session, create_session, new_room_name
from page_server.settings import PageSettings
from testbed.processes import Child, poll
from testbed.services import API_KEY, API_SECRET, Ports, livekit_server, running
from tests.e2e.chat import ChatParticipant, simulated_worker
from tests.tools import require_binary
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

JOINS_AFTER_THE_END = 5
REFUSED = "refused a room that the page server did not make"
ACCEPTED = "received job request"


@dataclass
class Visit:
    """A session of the page, and what LiveKit adds to it."""

    ports: Ports
    worker: Child
    session: Session

    @classmethod
    async def begin(cls, ports: Ports, worker: Child, page: Path) -> Visit:
        """Do what the page server does for a visitor."""
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            patch.setenv("LIVEKIT_URL", ports.livekit_url)
            patch.setenv("LIVEKIT_API_KEY", API_KEY)
            patch.setenv("LIVEKIT_API_SECRET", API_SECRET)
            settings = load(PageSettings, {"page_dir": page})
            room = new_room_name()
            await LiveKitRooms(settings).create(room)
            return cls(ports, worker, create_session(settings, room))

    @contextlib.asynccontextmanager
    async def joined(self, token: str = "") -> AsyncIterator[ChatParticipant]:
        async with ChatParticipant().joined_with(self.ports.livekit_url, token or self.session.token) as caller:
            yield caller

    async def renewed_token(self, caller: ChatParticipant) -> str:
        """Return the token that LiveKit hands out to each participant."""
        await until(lambda: caller.room._token not in (None, self.session.token))
        return str(caller.room._token)

    async def end(self) -> None:
        """End the call as the agent does after CALL_MAX_SECONDS."""
        async with api.LiveKitAPI(self.ports.livekit_url, API_KEY, API_SECRET) as livekit:
            await livekit.room.delete_room(api.DeleteRoomRequest(room=self.session.room))

    async def rooms(self) -> list[api.Room]:
        async with api.LiveKitAPI(self.ports.livekit_url, API_KEY, API_SECRET) as livekit:
            return list((await livekit.room.list_rooms(api.ListRoomsRequest(names=[self.session.room]))).rooms)

    def logged(self, text: str) -> int:
        """How often the worker logged a text."""
        return self.worker.output().count(text)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "index.html").touch()
    return tmp_path


@contextlib.asynccontextmanager
async def serving(folder: Path, *, auto_create: bool, page_rooms_only: bool) -> AsyncIterator[tuple[Ports, Child]]:
    require_binary("livekit-server")
    ports = Ports.free()
    async with (
        running([livekit_server(ports.livekit, auto_create=auto_create)], folder),
        simulated_worker(folder, ports, {"WORKER_PAGE_ROOMS_ONLY": str(int(page_rooms_only))}) as worker,
    ):
        yield worker


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hardened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Ports, Child]]:
    """A LiveKit server of our configuration, which makes rooms only through its API."""
    async with serving(tmp_path_factory.mktemp("hardened"), auto_create=False, page_rooms_only=False) as worker:
        yield worker


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def default_livekit(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Ports, Child]]:
    """A LiveKit server that makes a room for whoever joins, as LiveKit Cloud does, and a worker that knows the page."""
    async with serving(tmp_path_factory.mktemp("default"), auto_create=True, page_rooms_only=True) as worker:
        yield worker


async def test_after_the_end_of_a_call_no_token_of_it_gets_a_room_or_an_agent(
    hardened: tuple[Ports, Child], page: Path
) -> None:
    visit = await Visit.begin(*hardened, page)
    async with visit.joined() as caller:
        await caller.agent()
        tokens = [visit.session.token, await visit.renewed_token(caller)]
        accepted = visit.logged(ACCEPTED)
        await visit.end()
    for number in range(JOINS_AFTER_THE_END):
        with pytest.raises(rtc.ConnectError):
            async with visit.joined(tokens[number % 2]):
                pass
    assert await visit.rooms() == []
    assert visit.logged(ACCEPTED) == accepted


async def test_where_livekit_makes_rooms_for_whoever_joins_the_agent_comes_once(
    default_livekit: tuple[Ports, Child], page: Path
) -> None:
    visit = await Visit.begin(*default_livekit, page)
    async with visit.joined() as caller:
        await caller.agent()
        tokens = [visit.session.token, await visit.renewed_token(caller)]
        await visit.end()
    conversations = visit.logged(ACCEPTED) - visit.logged(REFUSED)
    for number in range(JOINS_AFTER_THE_END):
        refused = visit.logged(REFUSED)
        async with visit.joined(tokens[number % 2]) as caller:
            await until(lambda refused=refused: visit.logged(REFUSED) > refused)
            assert not caller.room.remote_participants
            await visit.end()
    assert visit.logged(ACCEPTED) - visit.logged(REFUSED) == conversations


async def test_caller_who_lost_the_connection_rejoins_the_same_room_and_agent(
    default_livekit: tuple[Ports, Child], page: Path
) -> None:
    visit = await Visit.begin(*default_livekit, page)
    async with visit.joined() as lost:
        agent = await lost.agent()
        (before,) = await visit.rooms()
        token = await visit.renewed_token(lost)
        # The browser has lost the network: LiveKit still counts the participant when it comes back.
        async with visit.joined(token) as again:
            assert (await again.agent()).identity == agent.identity
            _, turn = await again.turn("How old are trains?")
            assert turn["answer"]
            (after,) = await visit.rooms()
            assert after.sid == before.sid


async def test_room_of_the_page_holds_one_caller_and_ends_soon_after_it_left(
    hardened: tuple[Ports, Child], page: Path
) -> None:
    visit = await Visit.begin(*hardened, page)
    (room,) = await visit.rooms()
    assert room.max_participants == 1
    assert 0 < room.empty_timeout <= 60
    assert 0 < room.departure_timeout <= 20
    async with visit.joined() as caller:
        await caller.agent()
        other = api.AccessToken(API_KEY, API_SECRET).with_identity("other")
        grants = api.VideoGrants(room_join=True, room=visit.session.room)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            token = other.with_grants(grants).to_jwt()
        with pytest.raises(rtc.ConnectError):
            await rtc.Room().connect(visit.ports.livekit_url, token)

    async def has_ended() -> bool:
        return not await visit.rooms()

    await poll(has_ended)


async def test_rooms_of_others_are_served_unless_the_setting_forbids_it(
    hardened: tuple[Ports, Child], default_livekit: tuple[Ports, Child]
) -> None:
    """Of another token server, of LiveKit's playground, of SIP, of the command `caller`."""
    async with ChatParticipant().joined(hardened[0].livekit_url, "room-of-another-service", "caller") as caller:
        await caller.agent()
    ports, worker = default_livekit
    refused = worker.output().count(REFUSED)
    async with ChatParticipant().joined(ports.livekit_url, "room-of-another-service", "caller"):
        await until(lambda: worker.output().count(REFUSED) > refused)


async def test_agent_by_name_is_dispatched_to_rooms_of_the_page(tmp_path: Path, page: Path) -> None:
    ports = Ports.free()
    env = {"AGENT_NAME": "museum", "WORKER_PAGE_ROOMS_ONLY": "1"}
    async with (
        running([livekit_server(ports.livekit)], tmp_path),
        simulated_worker(tmp_path, ports, env) as (_, worker),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AGENT_NAME", "museum")
            visit = await Visit.begin(ports, worker, page)
        async with visit.joined() as caller:
            await caller.agent()
