"""Tests the blocking client: the same calls and errors as the asyncio client, and no thread left behind."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headshots.client import AsyncHeadshots, Headshots, JobState
from headshots.errors import InvalidPhotoError, NotFoundError
from headshots.processes.serving import is_serving
from tests.support.fake_gateway.gateway import API_KEY, FakeGateway, fake_gateway_in_thread
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def gateway() -> Iterator[tuple[FakeGateway, str]]:
    with fake_gateway_in_thread() as served:
        yield served


def test_the_whole_job(gateway: tuple[FakeGateway, str]) -> None:
    _, address = gateway
    steps: list[int] = []
    with Headshots(address, API_KEY) as client:
        subject = client.create_subject("Ada", class_noun="woman")
        client.upload_photos(subject, [painted_png("selfie", seed) for seed in range(6)])
        training = client.train(subject, on_progress=lambda now: steps.append(now.step))
        painted = list(client.generate(subject, STYLES[:2], shots_per_style=2))
        assert [each.filename for each in client.list_photos(subject)] == [""] * 6
        assert client.get_subject(subject).adapter == training.adapter
    assert training.state is JobState.SUCCEEDED
    assert steps == [0, 5, 10, 15, 20, 20]
    assert [each.content for each in painted] == [painted_png(f"styles/{s}", i) for s in STYLES[:2] for i in range(2)]


def test_errors_are_those_of_the_library(gateway: tuple[FakeGateway, str]) -> None:
    with Headshots(gateway[1], API_KEY) as client:
        with pytest.raises(NotFoundError):
            client.get_subject("nobody")
        with pytest.raises(NotFoundError):
            list(client.list_photos("nobody"))
        with pytest.raises(InvalidPhotoError):
            client.upload_photos(client.create_subject(), [b"not an image"])


def test_a_watch_left_early_leaves_the_client_usable(gateway: tuple[FakeGateway, str]) -> None:
    with Headshots(gateway[1], API_KEY) as client:
        subject = client.create_subject()
        client.upload_photos(subject, [painted_png("selfie", seed) for seed in range(6)])
        training = client.create_training(subject)
        for now in client.watch_training(training):
            if now.step:
                break
        assert client.get_training(training).step >= 5


def test_ctrl_c_before_the_thread_waits_ends_a_watch(
    gateway: tuple[FakeGateway, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, address = gateway
    fake.hold_watches = True
    schedule = asyncio.run_coroutine_threadsafe

    def interrupted(*call: Any) -> None:
        monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", schedule)
        schedule(*call)
        raise KeyboardInterrupt

    def watch() -> None:
        with Headshots(address, API_KEY) as headshots:
            subject = headshots.create_subject("Ada", class_noun="woman")
            headshots.upload_photos(subject, [painted_png("selfie", number) for number in range(6)])
            events = headshots.watch_training(headshots.create_training(subject))
            next(events)
            monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", interrupted)
            with pytest.raises(KeyboardInterrupt):
                next(events)
            ended.set()

    ended = threading.Event()
    threading.Thread(target=watch, daemon=True).start()
    assert ended.wait(PATIENCE_SECONDS)


def test_threads_may_share_a_client(gateway: tuple[FakeGateway, str]) -> None:
    with Headshots(gateway[1], API_KEY) as client, ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: client.create_subject(f"person {number}"), range(24)))
    assert len({subject.name for subject in made}) == 24


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    gateway: tuple[FakeGateway, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(variable, raising=False)
    port = gateway[1].rpartition(":")[2]
    for address in (f"127.0.0.1:{port}", f"localhost:{port}", f"dns:///127.0.0.1:{port}"):
        with Headshots(address, API_KEY) as client:
            client.upload_photos(client.create_subject(), [painted_png("selfie", 0)])
        assert is_serving(f"127.0.0.1:{port}")


def test_closing_ends_the_thread_and_may_be_repeated(gateway: tuple[FakeGateway, str]) -> None:
    client = Headshots(gateway[1], API_KEY)
    client.get_tenant()
    client.close()
    client.close()
    assert "headshots-client" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError, match="closed"):
        client.get_tenant()


def test_every_public_method_has_its_twin_with_the_same_signature() -> None:
    for name, method in inspect.getmembers(AsyncHeadshots, inspect.isfunction):
        if not name.startswith("_") and name != "close":
            assert inspect.signature(getattr(Headshots, name)) == inspect.signature(method), name
            assert getattr(Headshots, name).__doc__ == method.__doc__
