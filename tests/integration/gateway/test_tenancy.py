"""No call reaches what is not the caller's: rows for every call and name field, derived from the contract.

A name that is another tenant's, another subject's or a deleted subject's has to answer as one that never existed, word
for word, and to change nothing. That of a subject past its time tells that, and is of as little use though nothing has
swept. A call that is added to the contract gets its rows by itself.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc.aio
import pytest
import pytest_asyncio
import sqlalchemy as sa
from google.protobuf.descriptor import MethodDescriptor

from headshots import keys, schema
from headshots.errors import (
    FailedPreconditionError,
    HeadshotsError,
    InvalidArgumentError,
    NotFoundError,
    UnauthenticatedError,
)
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import audit_events_pb2, subjects_pb2
from tests.support.contract import CALLS, name_of
from tests.support.gateway.caller import Caller
from tests.support.gateway.furnished import furnished
from tests.support.gateway.names import FREE_TEXT, NAME_FIELDS, NameField, Names, collections_of, requests, text_fields
from tests.support.gateway.world import World, opened_world
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOWHERE = Names(
    {
        "subjects": "a" * 16,
        "photos": "b" * 32,
        "trainings": "c" * 16,
        "galleries": "d" * 16,
        "images": "999",
        "shoots": "f" * 16,
        "styles": "e" * 16,
        "profiles": "f" * 16,
        "packs": "0" * 16,
        "looks": "1" * 16,
        "teams": "2" * 16,
        "erasures": "9" * 32,
    }
)
# A subject whose erasure was interrupted is gone for every call but the one that completes it.
COMPLETES_AN_ERASURE = "DeleteSubject"
# What was done to a subject is told after its erasure too.
OUTLIVES_SUBJECTS = "ListAuditEvents"
# What goes past a subject's time.
WITH_EXPIRED = (COMPLETES_AN_ERASURE, OUTLIVES_SUBJECTS)
# What is the tenant's or the installation's, whatever becomes of its subjects.
REACHES_NO_SUBJECT = {
    *("GetTenant", "UpdateTenant", "GetFoundation", "ListFoundations"),
    *("GetErasureReceipt", "ListErasureReceipts", "ListErasureKeys"),
    *(f"{verb}Style" for verb in ("Create", "Get", "Update", "Archive")),
    *(f"{verb}Pack" for verb in ("Create", "Get", "Update", "Archive")),
    *(f"{verb}Profile" for verb in ("Create", "Get", "Update")),
    *("ListStyles", "ListPacks", "ListProfiles"),
    *(f"{verb}Look" for verb in ("Create", "Get", "Update", "Archive")),
    # Who is past their time is painted no more, and an erased member is in no report: see `teams/test_teams.py`.
    *("ListLooks", "GetTeam", "ListTeams", "WatchTeam", "CancelTeam"),
}
# Names no subject; `test_verification.py` holds it to name no image of one past its time.
NAMES_A_FILE = "VerifyImage"
# `test_retention.py` holds these to leave out who is past their time.
MAKES_OR_LISTS_SUBJECTS = {"CreateSubject", "ListSubjects"}
# Fields whose subject has to be the request's own: what any other subject's name answers, whether or not it exists.
NOT_ITS_OWN: dict[str, tuple[type[HeadshotsError], str]] = {
    "CreateGallery.remix.image": (InvalidArgumentError, "REMIX_OF_ANOTHER_SUBJECT"),
    "CreateGallery.styles": (InvalidArgumentError, "STYLE_UNKNOWN"),
    "CreateGallery.profile": (InvalidArgumentError, "PROFILE_UNKNOWN"),
    "ListImages.styles": (InvalidArgumentError, "STYLE_UNKNOWN"),
    "CreateGallery.training": (NotFoundError, "TRAINING_NOT_FOUND"),
    "CreateShoot.photos": (NotFoundError, "PHOTO_NOT_FOUND"),
    "CreateShoot.profile": (InvalidArgumentError, "PROFILE_UNKNOWN"),
    "CreateShoot.styles": (InvalidArgumentError, "STYLE_UNKNOWN"),
    "CreatePack.styles.style": (InvalidArgumentError, "STYLE_UNKNOWN"),
    "UpdatePack.styles.styles.style": (InvalidArgumentError, "STYLE_UNKNOWN"),
    "CreateLook.styles": (InvalidArgumentError, "STYLE_UNKNOWN"),
    "CreateLook.profile": (InvalidArgumentError, "PROFILE_UNKNOWN"),
    "UpdateLook.styles.styles": (InvalidArgumentError, "STYLE_UNKNOWN"),
    "UpdateLook.profile": (InvalidArgumentError, "PROFILE_UNKNOWN"),
    "CreateTraining.photos": (NotFoundError, "PHOTO_NOT_FOUND"),
}


@dataclass(frozen=True)
class Scene:
    """One gateway with a subject of each kind; rows change none of it."""

    world: World
    subjects: dict[str, Names]
    revoked_key: str

    @property
    def own(self) -> Names:
        return self.subjects["own"]

    def everything(self) -> dict[str, list[Any]]:
        """All rows of all tables."""
        return {table.name: self.world.rows(table) for table in schema.metadata.sorted_tables}


@dataclass(frozen=True)
class Row:
    """`field` gets a name whose ids from `level` on are those of the subject of this kind, before that the own."""

    field: NameField
    kind: str
    level: int

    def __str__(self) -> str:
        return f"{self.field}-{self.kind}-{self.field.collections[self.level]}"


def rows_of(field: NameField) -> list[Row]:
    """All of it another's, own parent and another's child at each depth, and a deleted parent."""
    if field.is_shared:
        return []
    foreign = [Row(field, "foreign", level) for level in range(len(field.collections))]
    sibling = [Row(field, "sibling", level) for level in range(1, len(field.collections))]
    # Styles, packs and profiles are the tenant's, whatever becomes of its subjects.
    of_subject = field.collections[0] == "subjects" and field.call.name != OUTLIVES_SUBJECTS
    deleted = [Row(field, kind, 0) for kind in ("deleted", "deleting") if of_subject]
    return [row for row in (*foreign, *sibling, *deleted) if not _completes_erasure(row)]


def _completes_erasure(row: Row) -> bool:
    return row.field.call.name == COMPLETES_AN_ERASURE and row.kind == "deleting"


ROWS = [row for field in NAME_FIELDS for row in rows_of(field)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with opened_world(tmp_path_factory.mktemp("tenancy")) as world:
        await world.kill()
        # No sweep: the subject that is being erased stays so.
        await world.start(erase_again_seconds=3600.0, links_port=0)
        tenants = {"own": "acme", "sibling": "acme", "foreign": "globex"}
        tenants |= {"deleted": "acme", "deleting": "acme", "expired": "acme"}
        subjects = {
            kind: await furnished(world.caller(world.keys[tenant]), number)
            for number, (kind, tenant) in enumerate(tenants.items())
        }
        deleted, deleting = (subjects[kind].ids["subjects"] for kind in ("deleted", "deleting"))
        await world.acme("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=f"subjects/{deleted}"))
        with world.database.begin() as connection:
            mine = schema.subjects.c.id == deleting
            connection.execute(sa.update(schema.subjects).where(mine).values(deleting=True))
            its = schema.retentions.c.id == subjects["expired"].ids["subjects"]
            connection.execute(sa.update(schema.retentions).where(its).values(expires_at=1.0))
        revoked = keys.create_key(world.database, "acme")
        keys.revoke_key(world.database, keys.id_of_key(revoked))
        for tenant in ("acme", "globex"):
            # What was read is written down and linked by that, and not while rows are compared.
            await world.caller(world.keys[tenant])("ListAuditEvents", audit_events_pb2.ListAuditEventsRequest())
        yield Scene(world, subjects, revoked)


async def answers(caller: Caller, call: MethodDescriptor, messages: list[Any]) -> list[Any]:
    """Every message that a call answers with."""
    send: Any = iter(messages) if call.client_streaming else messages[0]
    answer = getattr(caller.stub, call.name)(send, metadata=caller.metadata, timeout=PATIENCE_SECONDS)
    try:
        return [message async for message in answer] if call.server_streaming else [await answer]
    except grpc.aio.AioRpcError as error:
        raise error_from_rpc(error) from error


async def refusal(caller: Caller, call: MethodDescriptor, messages: list[Any]) -> HeadshotsError:
    with pytest.raises(HeadshotsError) as caught:
        await answers(caller, call, messages)
    return caught.value


def without_ids(error: HeadshotsError, *names: Names) -> str:
    """All that an error tells, with its ids taken out."""
    told = repr((type(error), error.reason, error.message, error.metadata, error.violations))
    for name in names:
        for collection in NOWHERE.ids.keys() - {"images"}:
            told = told.replace(name.ids[collection], "ID")
    return re.sub(r"images/\d+", "images/N", told)


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_what_is_not_the_callers_answers_as_what_never_was(scene: Scene, row: Row) -> None:
    field, call, caller = row.field, row.field.call, scene.world.acme
    others, before = scene.subjects[row.kind], scene.everything()
    stored = await scene.world.store.list("tenants")
    told = {}
    for names in (NOWHERE, others):
        name = names.name(field.collections, below=scene.own, level=row.level)
        error = await refusal(caller, call, requests(call, scene.own, field, name))
        told[names is NOWHERE] = without_ids(error, names, scene.own)
        missing = (NotFoundError, f"{_singular(field.collections[row.level])}_NOT_FOUND")
        assert (type(error), error.reason) == (NOT_ITS_OWN.get(str(field), missing) if row.level == 0 else missing)
    assert told[False] == told[True]
    assert scene.everything() == before
    assert await scene.world.store.list("tenants") == stored


OF_PEOPLE = [field for field in NAME_FIELDS if field.collections[0] == "subjects" and str(field) not in NOT_ITS_OWN]


@pytest.mark.parametrize("field", [field for field in OF_PEOPLE if field.call.name not in WITH_EXPIRED], ids=str)
async def test_a_subject_past_its_time_is_of_no_use_though_nothing_swept(scene: Scene, field: NameField) -> None:
    expired, before = scene.subjects["expired"], scene.everything()
    stored = await scene.world.store.list("tenants")
    # All that the call names is the subject's own.
    asked = requests(field.call, expired, field, expired.name(field.collections))
    error = await refusal(scene.world.acme, field.call, asked)
    assert (type(error), error.reason) == (FailedPreconditionError, "SUBJECT_EXPIRED")
    assert error.metadata["name"] == f"subjects/{expired.ids['subjects']}"
    assert scene.everything() == before
    assert await scene.world.store.list("tenants") == stored


async def test_every_call_is_tried_with_a_subject_past_its_time_or_reaches_none() -> None:
    """A call that is new and names its subject in some other way would be of use past the subject's time, unseen."""
    tried = {field.call.name for field in OF_PEOPLE}
    assert {call.name for call in CALLS} - tried - {
        OUTLIVES_SUBJECTS,
        NAMES_A_FILE,
    } == REACHES_NO_SUBJECT | MAKES_OR_LISTS_SUBJECTS


def _singular(collection: str) -> str:
    return (collection[:-3] + "y" if collection.endswith("ies") else collection[:-1]).upper()


@pytest.mark.parametrize("call", CALLS, ids=name_of)
async def test_a_revoked_key_reaches_nothing(scene: Scene, call: MethodDescriptor) -> None:
    before = scene.everything()
    for key, reason in ((scene.revoked_key, "API_KEY_INVALID"), (None, "API_KEY_MISSING")):
        error = await refusal(scene.world.caller(key), call, requests(call, scene.own))
        assert (type(error), error.reason) == (UnauthenticatedError, reason)
    assert scene.everything() == before


@pytest.mark.parametrize("call", CALLS, ids=name_of)
async def test_every_text_of_a_call_names_something_or_is_known_to_be_free(call: MethodDescriptor) -> None:
    for path in text_fields(call.input_type):
        assert collections_of(path[-1]) or path[-1].name in FREE_TEXT, path[-1].full_name


def _deletes_last(call: MethodDescriptor) -> tuple[bool, int]:
    """What erases or archives comes last, images before what has them; a subject last of all."""
    if not call.name.startswith(("Delete", "Archive", "Withdraw")):
        return (False, 0)
    order = ("looks", "packs", "styles", "images", "galleries", "photos", "subjects")
    return (True, order.index(_first_name(call).collections[-1]))


def _first_name(call: MethodDescriptor) -> NameField:
    return next(field for field in NAME_FIELDS if field.call is call)


async def test_own_names_are_answered_without_a_word_of_others(scene: Scene) -> None:
    """With this the rows above are known to be refused for the name alone."""
    hidden = [scene.subjects[kind].ids for kind in ("foreign", "deleted", "deleting", "expired")]
    for call in sorted(CALLS, key=_deletes_last):
        # One subject is deleted, the other one's consent withdrawn.
        messages = requests(call, scene.subjects["sibling"] if call.name == "WithdrawConsent" else scene.own)
        # A job that is only checked: a running one would hold up the subject's deletion, which comes last.
        if "validate_only" in call.input_type.fields_by_name:
            messages[0].validate_only = True
        answer = str(await answers(scene.world.acme, call, messages))
        for ids in hidden:
            for collection in ("subjects", "photos", "trainings", "galleries", "shoots"):
                assert ids[collection] not in answer, call.name
