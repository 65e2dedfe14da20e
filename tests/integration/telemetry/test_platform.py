"""One call of a client is one trace, over every service and queue, to each UNet call; and so are log lines."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headshots.client import AsyncHeadshots, Labelling
from headshots.telemetry import spans
from headshots.telemetry.logs import CALLS, JsonFormatter
from headshots.telemetry.spans import ATTRIBUTES
from tests.support.consents import CONSENT
from tests.support.gateway.caller import selfie
from tests.support.platform import Platform, opened_platform
from tests.support.traces import Recorded, recorded, trace_of

PHOTOS = 6
SECRETS = ("studio", "navy", "suit", "sks", "acme", "tenants/", "subjects/", "styles/", "campaign", "spring", "Ada")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What all services of this process say, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(service="all"))
    root, calls = logging.getLogger(), logging.getLogger(CALLS)
    levels = root.level, calls.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    calls.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(levels[0])
    calls.setLevel(levels[1])


async def _work(platform: Platform) -> None:
    """A whole job as a client does it: a person, photos, a training, a gallery of two."""
    assert platform.gateway is not None
    address = f"127.0.0.1:{platform.gateway.server.port}"
    async with AsyncHeadshots(address, platform.keys["acme"]) as client:
        subject = await client.create_subject(
            display_name="Ada", consent=CONSENT, labelling=Labelling(labels={"campaign": "spring"})
        )
        await client.upload_photos(subject.name, [selfie(number) for number in range(PHOTOS)])
        training = await client.create_training(subject.name)
        async for _ in client.watch_training(training.name):
            pass
        training = await client.get_training(training.name)
        assert training.state == "SUCCEEDED", training.failure
        gallery = await client.create_gallery(subject.name, ["styles/studio-navy-suit"], shots_per_style=2)
        async for _ in client.watch_gallery(gallery.name):
            pass
        gallery = await client.get_gallery(gallery.name)
        assert gallery.state == "SUCCEEDED", gallery.failure


def _check_tree_of_a_gallery(told: Recorded) -> str:
    """The trace of the gallery's call; its id."""
    (ordered,) = [span for span in told.named("/CreateGallery") if span.kind.name == "CLIENT"]
    assert ordered.parent is None
    tree = told.tree(ordered)
    assert tree.keys() == {"CreateGallery"}, "the client's side, then the gateway's"
    assert {"shot queue", "shot"} <= tree["CreateGallery"].keys()
    shot = tree["CreateGallery"]["shot"]
    assert shot.keys() >= {"Generate"}
    (generating,) = shot["Generate"].values()
    assert generating.keys() >= {"queue", "text", "adapter", "denoise", "unet", "decode", "encode", "store"}
    assert "mark" in generating["encode"]
    shots = [span for span in told.trace(trace_of(ordered)) if span.name == "shot"]
    assert len(shots) == 2
    return trace_of(ordered)


def _check_network_calls(told: Recorded) -> None:
    """Each is linked to all its requests, and each request to its calls."""
    unet, decode = told.named("unet"), told.named("decode")
    generating = {span.get_span_context().span_id for span in told.named("/Generate") if span.kind.name == "SERVER"}
    assert unet
    assert decode
    for call in (*unet, *decode):
        linked = {link.context.span_id for link in call.links}
        assert linked
        assert linked <= generating
    for call in unet:
        assert call.attributes is not None
        assert call.attributes["headshots.rows"] == 2 * call.attributes["headshots.images"]  # type: ignore[operator]
        assert len(call.attributes["headshots.steps"]) == call.attributes["headshots.images"]  # type: ignore[arg-type]
    known = {call.get_span_context().span_id for call in unet}
    for denoising in told.named("denoise"):
        steps = {link.context.span_id for link in denoising.links}
        assert steps
        assert steps <= known


def _check_nothing_of_anybody(told: Recorded) -> None:
    allowed = set(ATTRIBUTES.values())
    assert len(told.spans) > 30
    for span in told.spans:
        attributes: dict[str, Any] = dict(span.attributes or {})
        assert attributes.keys() <= allowed, span.name
        assert not span.events, "an exception's message would tell"
        said = f"{span.name} {span.status.description} {attributes}"
        assert not [secret for secret in SECRETS if secret in said], said
        for link in span.links:
            assert not link.attributes


def _check_log_shows_nobody(said: str) -> None:
    """Neither what a caller said of a person, nor any photo, however it were written."""
    assert not [word for word in ("Ada", "campaign", "spring", "sks", "navy suit") if word in said]
    for number in range(PHOTOS):
        photo = selfie(number)
        for data in (photo[:16], photo[64:80]):
            forms = repr(data)[2:-1], data.hex(), base64.b64encode(data)[:20].decode(), str(list(data))
            assert not [form for form in forms if form in said]
    # What is stored of them is a PNG of its own.
    assert not [form for form in (r"\x89PNG", "89504e47", "iVBORw0KGgo", "[137, 80, 78") if form in said]


async def test_a_call_is_one_trace_and_so_are_its_log_lines(tmp_path: Path, log: io.StringIO) -> None:
    with recorded() as told:
        async with opened_platform(tmp_path) as platform:
            await _work(platform)
            exemplars = _exemplars(platform)
            of_gateway = await asyncio.to_thread(_metrics_of_gateway, platform)
        gallery = _check_tree_of_a_gallery(told)
        (training,) = [span for span in told.named("/CreateTraining") if span.kind.name == "CLIENT"]
        tree = told.tree(training)["CreateTraining"]
        assert {"training queue", "training"} <= tree["StartTraining"]["StartTraining"].keys()
        _check_network_calls(told)
        _check_nothing_of_anybody(told)
    (task,) = platform.trainer_peer.tasks
    assert task.origin is not None, "the training's process goes on with the trace"
    assert trace_of(training) in task.origin["traceparent"]
    assert gallery in exemplars, "a histogram of the generator names the gallery's trace"
    shots = [line for line in of_gateway if line.startswith("headshots_gateway_shot_seconds_bucket")]
    assert [line for line in shots if f'trace_id="{gallery}"' in line], "and so does the gateway's of whole shots"
    _check_log_shows_nobody(log.getvalue())
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    of_gallery = [line for line in lines if line.get("trace_id") == gallery]
    methods = {line["method"].rpartition("/")[2] for line in of_gallery if line["logger"] == CALLS}
    assert methods == {"CreateGallery", "CheckGeneration", "Generate"}, "of the gateway and of the generator"
    assert len({line["request_id"] for line in of_gallery}) == 1, "the gateway's id went to the generator, by the queue"
    of_training = [line for line in lines if line.get("trace_id") == trace_of(training)]
    assert {"services.trainer.workers.attempt", "services.trainer.workers.outcomes"} <= {
        line["logger"] for line in of_training
    }


def _metrics_of_gateway(platform: Platform) -> list[str]:
    """Lines, as Prometheus asks for them."""
    assert platform.gateway is not None
    address = f"http://127.0.0.1:{platform.gateway.server.metrics_port}/metrics"
    asked = urllib.request.Request(address, headers={"Accept": "application/openmetrics-text"})
    with urllib.request.urlopen(asked) as answer:
        return str(answer.read().decode()).splitlines()


def _exemplars(platform: Platform) -> set[str]:
    families = platform.generator_peer.registry.collect()
    samples = [sample for family in families for sample in family.samples if sample.exemplar is not None]
    return {sample.exemplar.labels["trace_id"] for sample in samples if sample.exemplar is not None}


async def test_without_traces_request_ids_alone_tie_lines_together(tmp_path: Path, log: io.StringIO) -> None:
    assert not spans.is_on()
    async with opened_platform(tmp_path) as platform:
        await _work(platform)
        exemplars = _exemplars(platform)
    assert exemplars == set()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert not [line for line in lines if "trace_id" in line]
    (ordered,) = [line for line in lines if line.get("method", "").endswith("/CreateGallery")]
    painted = [line for line in lines if line.get("method", "").endswith("/Generate")]
    assert len(painted) == 2
    assert {line["request_id"] for line in painted} == {ordered["request_id"]}
