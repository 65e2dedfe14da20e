"""What the gateway grants to its calls, and what it makes of a peer that refuses its grants."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import InternalError, UnavailableError
from headshots.marking.rights import TenantRights
from headshots.rpc.internal.grants import Grant
from headshots.rpc.internal.settings import InternalSettings
from services.gateway.peers import granting
from services.gateway.peers.generators.rpc import RpcGenerator
from services.gateway.peers.models import Adapter, GenerationRequest, SourceImage, TrainingOptions, TrainingRequest
from services.gateway.peers.rpc import open_peer
from tests.support.gateway.fake_generator import FakeGenerator
from tests.support.gateway.peer import serve
from tests.support.grants import KEY_FILE, signer_of

MINE = "tenants/acme/subjects/s"
TRAINING = TrainingRequest(
    "j", "acme", ((f"{MINE}/photos/1.png", "1" * 64),), f"{MINE}/adapters/j", "man", TrainingOptions(), 1
)
ADAPTER = Adapter("a" * 64, f"{MINE}/adapters/j/adapter.safetensors", "f" * 64, 4, "sks", 1, "", "")
PAINTING = GenerationRequest("acme", ADAPTER, "photo of sks man", 0, 0, 0, 0, f"{MINE}/images", 1)
SOURCE = SourceImage(f"{MINE}/images/1.png", "b" * 64, 0.5)


def test_a_training_may_read_its_subject_and_write_its_result() -> None:
    assert granting.starting(TRAINING) == Grant(
        "trainer", "StartTraining", "acme", (MINE,), f"{MINE}/adapters/j", job="j"
    )


def test_a_painting_may_read_its_subject_and_write_images() -> None:
    assert granting.generating(PAINTING) == Grant("generator", "Generate", "acme", (MINE,), f"{MINE}/images")


def test_a_painting_says_the_rights_of_its_tenant_alone() -> None:
    rights = TenantRights("Ada")
    granted = granting.generating(dataclasses.replace(PAINTING, rights=rights))
    assert granted == dataclasses.replace(granting.generating(PAINTING), rights=rights.digest)


@pytest.mark.parametrize(
    ("adapter", "source", "reads"),
    [(None, None, ()), (ADAPTER, None, (MINE,)), (None, SOURCE, (MINE,)), (ADAPTER, SOURCE, (MINE,))],
)
def test_a_check_may_name_what_it_would_read_and_writes_nothing(
    adapter: Adapter | None, source: SourceImage | None, reads: tuple[str, ...]
) -> None:
    request = dataclasses.replace(PAINTING, adapter=adapter, source=source)
    assert granting.checking(request) == Grant("generator", "CheckGeneration", "acme", reads)


def test_other_calls_are_about_one_job_or_adapter() -> None:
    assert granting.of_job("CancelTrainingJob", "j") == Grant("trainer", "CancelTrainingJob", job="j")
    assert granting.evicting("ab") == Grant("generator", "EvictAdapter", adapter="ab")
    assert granting.describing() == Grant("generator", "DescribeGenerator")


@pytest.mark.parametrize("prefix", ["tenants/globex/subjects/s/images", "tenants/acme/images", "images", f"{MINE}"])
def test_nothing_is_granted_outside_the_tenants_subjects(prefix: str) -> None:
    with pytest.raises(InternalError):
        granting.generating(dataclasses.replace(PAINTING, output_prefix=prefix))
    with pytest.raises(InternalError):
        granting.starting(dataclasses.replace(TRAINING, output_prefix=prefix))
    with pytest.raises(InternalError):
        granting.checking(dataclasses.replace(PAINTING, adapter=dataclasses.replace(ADAPTER, key=prefix)))
    with pytest.raises(InternalError):
        granting.checking(dataclasses.replace(PAINTING, source=dataclasses.replace(SOURCE, key=prefix)))


async def test_a_peer_with_another_secret_is_away_and_the_log_tells_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Work waits for the deployment to be put right; tenants read nothing of internal ports."""
    running = await serve(FakeGenerator(ArtifactStore.open("memory:///")), tmp_path)
    (tmp_path / "elsewhere").mkdir()
    channel = open_peer(f"127.0.0.1:{running.port}", InternalSettings(tmp_path / KEY_FILE))
    with caplog.at_level(logging.ERROR), pytest.raises(UnavailableError, match="GENERATOR_UNREACHABLE") as caught:
        await RpcGenerator(channel, signer_of(tmp_path / "elsewhere")).describe()
    assert "GRANT_INVALID" in caplog.text
    assert "internal" not in caught.value.message
    await channel.close()
    await running.stop()
