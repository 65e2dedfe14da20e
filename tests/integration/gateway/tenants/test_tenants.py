"""A key names its tenant; `tests/integration/gateway/test_tenancy.py` has what a tenant must not reach."""

from __future__ import annotations

from headshots import keys
from headshots.errors import UnauthenticatedError
from headshots.v1 import tenants_pb2, trainings_pb2
from tests.support.gateway.caller import refused, selfie
from tests.support.gateway.world import World


async def test_without_a_known_key_nothing_is_answered(world: World) -> None:
    key = world.keys["acme"]
    for caller, reason in (
        (world.caller(None), "API_KEY_MISSING"),
        (world.caller("hs_0011223344556677_nonsense"), "API_KEY_INVALID"),
        (world.caller(key[:-1]), "API_KEY_INVALID"),
    ):
        with refused(UnauthenticatedError, reason):
            await caller("GetTenant", tenants_pb2.GetTenantRequest())
        with refused(UnauthenticatedError, reason):
            await caller.upload("subjects/any", selfie(1))
        with refused(UnauthenticatedError, reason):
            async for _ in caller.stream(
                "WatchTraining", trainings_pb2.WatchTrainingRequest(name="subjects/a/trainings/b")
            ):
                pass
    keys.revoke_key(world.database, key.split("_")[1])
    with refused(UnauthenticatedError, "API_KEY_INVALID"):
        await world.acme("GetTenant", tenants_pb2.GetTenantRequest())


async def test_the_key_names_the_tenant(world: World) -> None:
    tenant = (await world.acme("GetTenant", tenants_pb2.GetTenantRequest())).tenant
    assert tenant.name == "tenants/acme"
    globex = await world.caller(world.keys["globex"])("GetTenant", tenants_pb2.GetTenantRequest())
    assert globex.tenant.name == "tenants/globex"
