"""What somebody tries who reaches the generator's port: refused with the reason, nothing written, nothing forgotten."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headshots.errors import InvalidAdapterError, PermissionDeniedError, UnauthenticatedError
from headshots.marking.rights import TenantRights
from headshots.rpc.channel import open_channel
from headshots.rpc.internal.grants import METADATA_KEY, Grant
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.signing import Signer
from headshots.v1 import adapters_pb2, generator_pb2_grpc
from headshots.v1 import generator_pb2 as pb
from tests.support.foundations.engines import lora_bytes, peft_unet
from tests.support.generator.sources import file_of, picture
from tests.support.generator.world import Generator, ask
from tests.support.grants import KEY_FILE, refusal

MINE, THEIRS = "tenants/acme/subjects/me", "tenants/globex/subjects/they"
GRANT = Grant("generator", "Generate", "acme", (MINE,), f"{MINE}/images")
CHECKING = dataclasses.replace(GRANT, method="CheckGeneration", writes="")
PHOTO = file_of(picture())
STORED = pb.StoredPicture(key=f"{THEIRS}/photos/1.png", sha256=hashlib.sha256(PHOTO).hexdigest())
OWN = pb.Picture(content=PHOTO)
SHA256 = "ab" * 32

ATTACKS: dict[str, tuple[dict[str, Any], str]] = {
    "for another tenant": ({"tenant": "globex"}, "tenant"),
    "with another's adapter": (
        {"adapter": adapters_pb2.Adapter(sha256=SHA256, foundation_digest=SHA256, key=f"{THEIRS}/adapters/1/a")},
        "adapter.key",
    ),
    "by a way round": (
        {"adapter": adapters_pb2.Adapter(sha256=SHA256, foundation_digest=SHA256, key=f"{MINE}/../they/adapters/1/a")},
        "adapter.key",
    ),
    "over another's photo": ({"source": pb.Source(picture=pb.Picture(stored=STORED))}, "source.picture.stored.key"),
    "under another's mask": (
        {"source": pb.Source(picture=OWN, mask=pb.Picture(stored=STORED))},
        "source.mask.stored.key",
    ),
    "into another's folder": ({"output_prefix": f"{THEIRS}/images"}, "output_prefix"),
    "beside its own folder": ({"output_prefix": f"{MINE}/images2"}, "output_prefix"),
    "out of its own folder": ({"output_prefix": f"{MINE}/images/../adapters"}, "output_prefix"),
    "with rights of its own": ({"rights": pb.TenantRights(owner="Mallory")}, "rights"),
}


@functools.cache
def lora(seed: int) -> bytes:
    """An adapter's file."""
    return lora_bytes(peft_unet(2, 2.0, seed))


@pytest.fixture
async def bare(generator: Generator) -> AsyncIterator[Any]:
    """A stub that signs nothing."""
    await generator.store.put(STORED.key, PHOTO)
    async with open_channel(generator.address) as channel:
        yield generator_pb2_grpc.GeneratorServiceStub(channel)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_request_beyond_its_grant_is_refused_and_writes_nothing(
    generator: Generator, bare: Any, tmp_path: Path, attack: str
) -> None:
    fields, field = ATTACKS[attack]
    before = await generator.store.list("")
    metadata = Signer(Secret(tmp_path / KEY_FILE)).metadata(GRANT)
    error = await refusal(bare.Generate(ask(steps=1, **fields), metadata=metadata))
    assert (type(error), error.reason) == (PermissionDeniedError, "GRANT_TOO_NARROW")
    assert [violation.field for violation in error.violations] == [field]
    assert "call the gateway" in error.message
    assert await generator.store.list("") == before


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_check_tells_nothing_of_a_request_beyond_its_grant(
    generator: Generator, bare: Any, tmp_path: Path, attack: str
) -> None:
    fields, field = ATTACKS[attack]
    metadata = Signer(Secret(tmp_path / KEY_FILE)).metadata(CHECKING)
    request = pb.CheckGenerationRequest(request=ask(steps=1, **fields))
    error = await refusal(bare.CheckGeneration(request, metadata=metadata))
    assert (type(error), error.reason) == (PermissionDeniedError, "GRANT_TOO_NARROW")
    assert [violation.field for violation in error.violations] == [field]


async def test_a_check_that_is_granted_is_answered(bare: Any, tmp_path: Path) -> None:
    metadata = Signer(Secret(tmp_path / KEY_FILE)).metadata(CHECKING)
    adapter = adapters_pb2.Adapter(sha256=SHA256, foundation_digest=SHA256, key=f"{MINE}/adapters/1/a")
    stored = pb.StoredPicture(key=f"{MINE}/images/1.png", sha256=SHA256)
    request = ask(steps=3, adapter=adapter, source=pb.Source(picture=pb.Picture(stored=stored), repaint=1.0))
    checked = await bare.CheckGeneration(pb.CheckGenerationRequest(request=request), metadata=metadata)
    assert checked.steps == 3


@pytest.mark.parametrize(
    "rights", [None, pb.TenantRights(owner="Mallory"), pb.TenantRights(owner="Ada", with_prompts=True)]
)
async def test_an_image_says_the_rights_that_were_granted_and_no_others(
    bare: Any, tmp_path: Path, rights: pb.TenantRights | None
) -> None:
    granted = TenantRights(owner="Ada").digest
    metadata = Signer(Secret(tmp_path / KEY_FILE)).metadata(dataclasses.replace(GRANT, rights=granted))
    error = await refusal(bare.Generate(ask(steps=1, rights=rights), metadata=metadata))
    assert (error.reason, [each.field for each in error.violations]) == ("GRANT_TOO_NARROW", ["rights"])
    answer = bare.Generate(ask(steps=1, rights=pb.TenantRights(owner="Ada")), metadata=metadata)
    assert [event async for event in answer][-1].image.content


async def test_what_is_granted_is_done(generator: Generator, bare: Any, tmp_path: Path) -> None:
    metadata = Signer(Secret(tmp_path / KEY_FILE)).metadata(GRANT)
    request = ask(steps=1, output_prefix=f"{MINE}/images")
    events = [event async for event in bare.Generate(request, metadata=metadata)]
    assert await generator.store.list(MINE) == [events[-1].image.key]


CALLS: dict[str, Any] = {
    "Generate": ask(steps=1),
    "CheckGeneration": pb.CheckGenerationRequest(request=ask(steps=1)),
    "DescribeGenerator": pb.DescribeGeneratorRequest(),
    "EvictAdapter": pb.EvictAdapterRequest(sha256=SHA256),
}


@pytest.mark.parametrize("method", CALLS)
async def test_no_call_is_taken_without_a_grant_for_it(
    generator: Generator, bare: Any, tmp_path: Path, method: str
) -> None:
    signer = Signer(Secret(tmp_path / KEY_FILE))
    stranger = Signer(Secret(tmp_path / "another-key"))
    late = Signer(Secret(tmp_path / KEY_FILE), clock=lambda: 1e9)
    right = dataclasses.replace(GRANT, method=method, adapter=SHA256)
    for metadata, kind, reason in (
        ((), UnauthenticatedError, "GRANT_MISSING"),
        (((METADATA_KEY, "nonsense"),), UnauthenticatedError, "GRANT_INVALID"),
        (stranger.metadata(right), UnauthenticatedError, "GRANT_INVALID"),
        (late.metadata(right), UnauthenticatedError, "GRANT_EXPIRED"),
        (signer.metadata(dataclasses.replace(right, audience="trainer")), PermissionDeniedError, "GRANT_TOO_NARROW"),
        (signer.metadata(dataclasses.replace(right, method="Other")), PermissionDeniedError, "GRANT_TOO_NARROW"),
    ):
        error = await refusal(getattr(bare, method)(CALLS[method], metadata=metadata))
        assert (type(error), error.reason) == (kind, reason)
    assert set(CALLS) == {one.name for one in pb.DESCRIPTOR.services_by_name["GeneratorService"].methods}


async def test_an_adapter_is_forgotten_only_with_a_grant_for_it(
    generator: Generator, bare: Any, tmp_path: Path
) -> None:
    adapter = await generator.add(lora(1), f"{MINE}/adapters/1/adapter.safetensors")
    await generator.image(adapter=adapter, steps=1)
    other = Signer(Secret(tmp_path / KEY_FILE)).metadata(Grant("generator", "EvictAdapter", adapter=SHA256))
    request = pb.EvictAdapterRequest(sha256=adapter.sha256)
    assert (await refusal(bare.EvictAdapter(request, metadata=other))).reason == "GRANT_TOO_NARROW"
    assert (await generator.stub.EvictAdapter(request)).evicted


async def test_a_cached_adapter_is_not_had_by_its_digest(generator: Generator, bare: Any, tmp_path: Path) -> None:
    """A tenant's own key beside another's digest: not even with a grant for the key."""
    theirs = await generator.add(lora(1), f"{THEIRS}/adapters/1/adapter.safetensors")
    mine = await generator.add(lora(2), f"{MINE}/adapters/1/adapter.safetensors")
    await generator.image(adapter=theirs, steps=1)
    stolen = adapters_pb2.Adapter()
    stolen.CopyFrom(theirs)
    stolen.key = mine.key
    metadata = Signer(Secret(tmp_path / KEY_FILE)).metadata(GRANT)
    error = await refusal(bare.Generate(ask(steps=1, adapter=stolen), metadata=metadata))
    assert (type(error), error.reason) == (InvalidAdapterError, "ADAPTER_DIGEST_MISMATCH")
    assert mine.sha256[:4] not in error.message


async def test_a_guessed_digest_of_a_photo_tells_nothing_of_the_right_one(
    generator: Generator, bare: Any, tmp_path: Path
) -> None:
    key = f"{MINE}/photos/1.png"
    await generator.store.put(key, PHOTO)
    guess = pb.Source(picture=pb.Picture(stored=pb.StoredPicture(key=key, sha256=SHA256)))
    metadata = Signer(Secret(tmp_path / KEY_FILE)).metadata(GRANT)
    error = await refusal(bare.Generate(ask(source=guess), metadata=metadata))
    assert error.reason == "PICTURE_DIGEST_MISMATCH"
    assert STORED.sha256[:4] not in str(error.message) + str(error.metadata)
