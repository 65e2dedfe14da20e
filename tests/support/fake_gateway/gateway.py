"""Serves a gateway in memory over real gRPC, behind our real interceptors, for tests of clients."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry

from headshots.errors import UnauthenticatedError
from headshots.rpc.auth import bearer_token
from headshots.rpc.server import RunningServer, ServerSettings, start_server
from tests.support.fake_gateway.audit_events import FakeAuditEvents
from tests.support.fake_gateway.erasures import FakeErasures
from tests.support.fake_gateway.foundations import FakeFoundations
from tests.support.fake_gateway.galleries import FakeGalleries
from tests.support.fake_gateway.images import FakeImages
from tests.support.fake_gateway.packs import FakePacks
from tests.support.fake_gateway.photos import FakePhotos
from tests.support.fake_gateway.profiles import FakeProfiles
from tests.support.fake_gateway.shoots import FakeShoots
from tests.support.fake_gateway.styles import FakeStyles
from tests.support.fake_gateway.subjects import FakeSubjects
from tests.support.fake_gateway.teams import FakeTeams
from tests.support.fake_gateway.trainings import FakeTrainings

API_KEY = "hs_test"


class FakeGateway(
    FakeSubjects,
    FakePhotos,
    FakeTrainings,
    FakeGalleries,
    FakeImages,
    FakeShoots,
    FakeStyles,
    FakeFoundations,
    FakePacks,
    FakeProfiles,
    FakeAuditEvents,
    FakeErasures,
    FakeTeams,
):
    """Answers every call of the public API for one tenant."""


async def _authenticate(metadata: Mapping[str, str]) -> str:
    if bearer_token(metadata) != API_KEY:
        raise UnauthenticatedError("API_KEY_UNKNOWN", "this key is not known; make one: headshots keys create")
    return "t1"


async def start_fake_gateway(fake: FakeGateway, port: int = 0) -> RunningServer:
    """Serve it on loopback; `await running.stop()` ends it."""
    settings = ServerSettings(port=port)
    return await start_server(fake.register, settings, registry=CollectorRegistry(), authenticate=_authenticate)


@contextlib.contextmanager
def fake_gateway_in_thread() -> Iterator[tuple[FakeGateway, str]]:
    """A gateway and its address, on a loop in another thread, as another process would have it."""
    fake = FakeGateway()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = asyncio.run_coroutine_threadsafe(start_fake_gateway(fake), loop).result()
    try:
        yield fake, f"127.0.0.1:{running.port}"
    finally:
        asyncio.run_coroutine_threadsafe(running.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
