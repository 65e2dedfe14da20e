"""Images leave the generator marked; what is painted twice is still one object."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from headshots.marking.containers import manifest_store
from headshots.marking.description import MADE, MADE_OVER
from headshots.marking.rights import OWNER, USAGE_TERMS
from headshots.marking.settings import MarkingSettings
from headshots.marking.verification import SignatureState
from headshots.marking.verifying import verify
from headshots.v1 import generator_pb2 as pb
from services.generator.images.marking import Marker
from tests.support.certificates import Authority
from tests.support.generator.process import process
from tests.support.generator.world import running_generator
from tests.support.waiting import PATIENCE_SECONDS


def marker(home: Path, **options: bool) -> Marker:
    settings = MarkingSettings(home / "marking", **options)
    return Marker(settings, settings.open_signer(), "tiny", "0" * 64)


async def test_an_image_carries_signature_and_metadata(tmp_path: Path) -> None:
    async with running_generator(tmp_path, marker=marker(tmp_path)) as generator:
        image = await generator.image(seed=5)
        source = pb.Source(picture=pb.Picture(content=image.content), repaint=0.5)
        remix = await generator.image(seed=6, source=source)
    trusted = (tmp_path / "marking" / "authority.pem").read_text()
    for content, source_type in ((image.content, MADE), (remix.content, MADE_OVER)):
        found = verify(content, trusted)
        assert found.signature.state is SignatureState.TRUSTED
        assert found.metadata is not None
        assert found.metadata.source_type == source_type
        assert source_type.encode() in manifest_store(content, "image/png"), "the action in the manifest says the same"
    assert b"parentOf" in remix.content


async def test_what_is_painted_twice_is_one_object_and_both_answers_name_it(tmp_path: Path) -> None:
    async with running_generator(tmp_path, marker=marker(tmp_path)) as generator:
        answers = [await generator.image(seed=5, output_prefix="tenants/acme/images") for _ in range(2)]
    assert answers[0] == answers[1]
    (stored,) = (tmp_path / "objects" / "tenants" / "acme" / "images").iterdir()
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == answers[0].sha256
    assert answers[0].size_bytes == stored.stat().st_size
    assert answers[0].key.endswith(stored.name)
    assert answers[0].mark_id == verify(stored.read_bytes()).signature.mark_id != ""


async def test_an_image_says_the_tenants_rights_and_its_prompts_where_it_wants_that(tmp_path: Path) -> None:
    rights = pb.TenantRights(owner="Ada & <co>", licence="https://example.com/?a&b", with_prompts=True)
    prompts = {"prompt": "a hidden prompt", "negative_prompt": "hidden too"}
    async with running_generator(tmp_path, marker=marker(tmp_path)) as generator:
        own = (await generator.image(seed=5, steps=1, rights=rights, **prompts)).content
        usual = (await generator.image(seed=5, steps=1, **prompts)).content
        again = [
            await generator.image(seed=5, steps=1, rights=rights, output_prefix="tenants/acme/images", **prompts)
            for _ in range(2)
        ]
    assert again[0] == again[1], "one object"
    said, default = verify(own).metadata, verify(usual).metadata
    assert said is not None
    assert default is not None
    assert (said.owner, said.licence) == (rights.owner, rights.licence)
    assert (said.usage_terms, default.owner) == (USAGE_TERMS, OWNER)
    assert b"a hidden prompt\nNegative prompt: hidden too" in own
    assert b"hidden" not in usual


@pytest.mark.parametrize(("days", "reason"), [(-1, "expired on"), (1, "is not the key of")])
def test_a_start_with_a_certificate_that_cannot_sign_is_refused(tmp_path: Path, days: int, reason: str) -> None:
    authority = Authority.make(tmp_path / "authority")
    made = authority.issue(tmp_path / "made", kind="content", days=days)
    other = authority.issue(tmp_path / "other", kind="content")
    settings = {
        "HEADSHOTS_MARKING_C2PA_CERTIFICATE": str(made / "tls.crt"),
        "HEADSHOTS_MARKING_C2PA_KEY": str((made if days < 0 else other) / "tls.key"),
    }
    with process(tmp_path / "home", **settings) as (child, _):
        _, errors = child.communicate(timeout=PATIENCE_SECONDS)
    assert child.returncode == 1
    assert reason in errors
    assert "export" not in errors, "it is told before"
