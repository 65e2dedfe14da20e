"""The gateway reports its metrics and its health."""

from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headshots.errors import InvalidArgumentError, UnavailableError
from headshots.v1 import jobs_pb2, profiles_pb2
from services.gateway.erasures import restoring
from services.gateway.erasures.log import RECEIPTS
from tests.support.certificates import Authority, settings_with
from tests.support.gateway import shoots
from tests.support.gateway.judging import paints, sitter, stranger
from tests.support.gateway.peer import FOUNDATION_DIGEST
from tests.support.gateway.world import World
from tests.support.waiting import until


async def test_metrics_count_uploads_and_shots_and_name_no_tenant(world: World) -> None:
    subject = await world.acme.trained_subject()
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=3))
    with pytest.raises(InvalidArgumentError):
        await world.acme.upload(subject, b"not an image")
    assert world.gateway is not None
    url = f"http://127.0.0.1:{world.gateway.server.metrics_port}/metrics"

    def scrape() -> str:
        with urllib.request.urlopen(url) as answer:
            return str(answer.read().decode())

    lines = (
        "headshots_gateway_shots_in_flight 0.0",
        'headshots_gateway_uploads_total{status="stored"} 1.0',
        'headshots_gateway_uploads_total{status="refused"} 1.0',
        'headshots_gateway_refused_uploads_total{reason="PHOTO_UNDECODABLE"} 1.0',
        "headshots_gateway_photos_total 6.0",
        'headshots_gateway_shots_total{status="succeeded"} 3.0',
        'headshots_gateway_galleries{state="running"} 0.0',
        'headshots_gateway_trainings{state="pending"} 0.0',
        'headshots_gateway_shots_rows{state="pending"} 0.0',
        "headshots_gateway_shot_seconds_count 3.0",
        'headshots_gateway_watchers{resource="gallery"} 0.0',
    )
    # Some are written a moment after the caller has its answer.
    await until(lambda: set(lines) <= set(scrape().splitlines()))
    text = scrape()
    # Of rows that ended there are ever more; they are not counted.
    assert 'state="succeeded"' not in text
    assert 'grpc_type="client_stream"' in text
    assert "acme" not in text
    assert subject.split("/")[1] not in text


async def test_a_gateway_tells_when_its_certificate_ends(world: World, tmp_path: Path) -> None:
    issued = Authority.make(tmp_path / "ca").issue_until(tmp_path / "client", 4_000_000_000)
    await world.terminate()
    await world.start(internal=settings_with(issued, world.folder))
    assert world.gateway is not None
    url = f"http://127.0.0.1:{world.gateway.server.metrics_port}/metrics"
    text = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
    assert 'headshots_internal_certificate_expiry_timestamp_seconds{certificate="own"} 4e+09' in text


async def test_metrics_count_verdicts_and_tries(world: World) -> None:
    subject = await sitter(world)
    await world.acme("CreateProfile", profiles_pb2.CreateProfileRequest(profile_id="acmes-own"))
    paints(world, [0], stranger)
    paints(world, [1, 2])
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1, max_tries=2))
    by_own = await world.acme.gallery(subject, shots_per_style=1, seed=2, profile="profiles/acmes-own")
    await world.acme.finished_gallery(by_own)
    assert world.gateway is not None
    url = f"http://127.0.0.1:{world.gateway.server.metrics_port}/metrics"

    def scrape() -> set[str]:
        with urllib.request.urlopen(url) as answer:
            return set(answer.read().decode().splitlines())

    image, foundation = "headshots_gateway_image", f'foundation="{FOUNDATION_DIGEST[:12]}"'
    built_in, own = f'{foundation},profile="profile-worthy"', f'{foundation},profile="own"'
    lines = {
        'headshots_gateway_verdicts_total{acceptance="accepted"} 2.0',
        'headshots_gateway_verdicts_total{acceptance="refused"} 1.0',
        'headshots_gateway_verdicts_total{acceptance="not_measured"} 0.0',
        'headshots_gateway_failed_checks_total{reason="NOT_ALIKE"} 1.0',
        'headshots_gateway_shots_total{status="succeeded"} 2.0',
        'headshots_gateway_shots_total{status="refused"} 1.0',
        'headshots_gateway_shot_tries_bucket{le="1.0"} 1.0',
        'headshots_gateway_shot_tries_bucket{le="2.0"} 2.0',
        f'{image}_verdicts_total{{{built_in},reason="NOT_ALIKE",settled="false"}} 1.0',
        f'{image}_verdicts_total{{{built_in},reason="ACCEPTED",settled="false"}} 0.0',
        f'{image}_verdicts_total{{{built_in},reason="ACCEPTED",settled="true"}} 1.0',
        f'{image}_verdicts_total{{{own},reason="ACCEPTED",settled="true"}} 1.0',
        f'{image}_likeness_bucket{{{foundation},le="0.5",profile="profile-worthy"}} 1.0',
        f"{image}_likeness_count{{{built_in}}} 2.0",
        f"{image}_likeness_count{{{own}}} 1.0",
    }
    await until(lambda: lines <= scrape())
    assert "acmes" not in "".join(scrape()), "the number of tenants' profiles has no bound"


async def test_metrics_tell_of_receipts_that_cannot_be_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.kill()
    await world.store.put(f"{RECEIPTS}/acme/0000000001-{'0' * 12}.json", b"")

    def unreadable(*_: Any, **__: Any) -> int:
        raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "no right to read it")

    monkeypatch.setattr(restoring, "bring_back", unreadable)
    await world.start()
    assert world.gateway is not None
    url = f"http://127.0.0.1:{world.gateway.server.metrics_port}/metrics"

    def scrape() -> list[str]:
        with urllib.request.urlopen(url) as answer:
            return str(answer.read().decode()).splitlines()

    assert "headshots_gateway_unreadable_receipts 1.0" in scrape()


async def test_health_needs_no_key(world: World) -> None:
    assert world.gateway is not None
    async with grpc.aio.insecure_channel(f"127.0.0.1:{world.gateway.server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service="headshots.v1.SubjectService"))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_metrics_hold_shoots_to_the_promise(world: World) -> None:
    for promised_seconds, promise in ((3600.0, "kept"), (1e-6, "broken")):
        await shoots.with_large_photos(world, promised_shoot_seconds=promised_seconds)
        world.trainer.failure = None
        subject = await shoots.person(world)
        await shoots.finished(world.acme, (await shoots.order(world.acme, subject)).name)
        world.trainer.failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="not a number")
        await shoots.finished(world.acme, (await shoots.order(world.acme, subject, retrain=True)).name)
        assert world.gateway is not None
        url = f"http://127.0.0.1:{world.gateway.server.metrics_port}/metrics"

        def scrape(address: str = url) -> set[str]:
            with urllib.request.urlopen(address) as answer:
                return set(str(answer.read().decode()).splitlines())

        lines = {
            'headshots_gateway_shoots_total{guarantee="not_measured",outcome="succeeded"} 1.0',
            'headshots_gateway_shoots_total{guarantee="met",outcome="succeeded"} 0.0',
            'headshots_gateway_shoots_total{guarantee="none",outcome="failed"} 1.0',
            'headshots_gateway_shoots_total{guarantee="none",outcome="cancelled"} 0.0',
            "headshots_gateway_shoot_seconds_count 1.0",
            f'headshots_gateway_shoot_promises_total{{promise="{promise}"}} 1.0',
            f"headshots_gateway_shoot_promised_seconds {promised_seconds}",
            'headshots_gateway_shoots_rows{state="running"} 0.0',
            'headshots_gateway_watchers{resource="shoot"} 0.0',
        }
        await until(lambda expected=lines, read=scrape: expected <= read())
