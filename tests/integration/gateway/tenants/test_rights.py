"""A tenant says whose its images are; a gallery's images say what held when it was ordered, however often painted."""

from __future__ import annotations

from typing import Any

import pytest

from headshots.errors import InvalidArgumentError
from headshots.v1 import generator_pb2, jobs_pb2, tenants_pb2
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World
from tests.support.waiting import until

FIELDS = ("rights_owner", "usage_terms", "licence", "prompts_in_images")
HOSTILE = "</rdf:li>]]><!DOCTYPE x> & 'quotes' \"too\" 文 🎉"


async def set_rights(world: World, *paths: str, **fields: Any) -> tenants_pb2.Tenant:
    request = tenants_pb2.UpdateTenantRequest(update_mask={"paths": list(paths or fields)}, **fields)  # type: ignore[arg-type]
    answer = (await world.acme("UpdateTenant", request)).tenant
    assert isinstance(answer, tenants_pb2.Tenant)
    return answer


def said(tenant: tenants_pb2.Tenant) -> tuple[str | None, str | None, str | None, bool]:
    texts = [getattr(tenant, name) if tenant.HasField(name) else None for name in FIELDS[:3]]  # type: ignore[arg-type]
    return texts[0], texts[1], texts[2], tenant.prompts_in_images


async def test_a_tenant_says_its_own_rights_and_no_others(world: World) -> None:
    first = (await world.acme("GetTenant", tenants_pb2.GetTenantRequest())).tenant
    assert said(first) == (None, None, None, False)
    changed = await set_rights(world, rights_owner="Ada", usage_terms=HOSTILE, licence="", prompts_in_images=True)
    assert said(changed) == ("Ada", HOSTILE, "", True)
    assert (await world.acme("GetTenant", tenants_pb2.GetTenantRequest())).tenant == changed
    changed = await set_rights(world, "usage_terms", "prompts_in_images", rights_owner="not named")
    assert said(changed) == ("Ada", None, "", False)
    assert changed.retention_seconds == first.retention_seconds
    globex = await world.caller(world.keys["globex"])("GetTenant", tenants_pb2.GetTenantRequest())
    assert said(globex.tenant) == (None, None, None, False)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("rights_owner", "", "CONSTRAINT_VIOLATED"),
        ("rights_owner", "a" * 257, "CONSTRAINT_VIOLATED"),
        ("usage_terms", "", "CONSTRAINT_VIOLATED"),
        ("usage_terms", "a" * 1025, "CONSTRAINT_VIOLATED"),
        ("licence", "a" * 1025, "CONSTRAINT_VIOLATED"),
        ("rights_owner", " ", "RIGHTS_INVALID"),
        ("rights_owner", "Ada\x00", "RIGHTS_INVALID"),
        ("usage_terms", "all\nof it", "RIGHTS_INVALID"),
        ("licence", "\x1b[31mred", "RIGHTS_INVALID"),
        ("licence", "moc.elpmaxe\u202e", "RIGHTS_INVALID"),
    ],
)
async def test_rights_that_no_image_can_carry_are_refused(world: World, field: str, value: str, reason: str) -> None:
    with refused(InvalidArgumentError, reason) as caught:
        await set_rights(world, **{field: value})
    assert [each.field for each in caught.value.violations] == [field]
    told = (await world.acme("GetTenant", tenants_pb2.GetTenantRequest())).tenant
    assert said(told) == (None, None, None, False)


async def test_the_longest_rights_are_taken_and_reach_the_generator(world: World) -> None:
    await set_rights(world, rights_owner="文" * 256, usage_terms="&" * 1024, licence="🎉" * 1024)
    subject = await world.acme.trained_subject()
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    (request,) = world.generator.requests
    assert request.rights == generator_pb2.TenantRights(owner="文" * 256, usage_terms="&" * 1024, licence="🎉" * 1024)


async def test_a_gallery_says_what_held_when_it_was_ordered(world: World) -> None:
    subject = await world.acme.trained_subject()
    first = await world.acme.gallery(subject, shots_per_style=1)
    await world.acme.finished_gallery(first)
    await set_rights(world, rights_owner="Ada", prompts_in_images=True)
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    nothing, own = world.generator.requests
    assert not nothing.HasField("rights")
    assert own.rights == generator_pb2.TenantRights(owner="Ada", with_prompts=True)
    await set_rights(world, *FIELDS)
    await world.acme.finished_gallery(await world.acme.gallery(subject, shots_per_style=1))
    assert not world.generator.requests[-1].HasField("rights")


async def test_a_shot_that_is_painted_again_says_what_it_said_before(world: World) -> None:
    """Another text would be another file, beside the object that the first attempt may have left."""
    await set_rights(world, rights_owner="Ada")
    subject = await world.acme.trained_subject()
    world.generator.hold()
    name = await world.acme.gallery(subject, shots_per_style=1)
    await until(lambda: world.generator.running == 1)
    await set_rights(world, rights_owner="Bob", licence="none")
    await world.terminate()
    world.generator.permit()
    await world.start()
    gallery = await world.acme.finished_gallery(name)
    assert gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED
    first, second = world.generator.requests
    assert first.rights == second.rights == generator_pb2.TenantRights(owner="Ada")
