"""Subjects are created, found and listed."""

from __future__ import annotations

from headshots import schema
from headshots.errors import (
    InvalidArgumentError,
)
from headshots.v1 import photos_pb2, subjects_pb2
from services.gateway.api.pages import encode_token
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World


async def test_a_subject_is_made_with_defaults_and_found(world: World) -> None:
    request = subjects_pb2.CreateSubjectRequest(display_name="Ada")
    made = (await world.acme("CreateSubject", request)).subject
    assert (made.display_name, made.class_noun, made.photo_count) == ("Ada", "person", 0)
    assert not made.HasField("adapter")
    assert (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=made.name))).subject == made


async def test_the_same_request_id_makes_one_subject_for_each_tenant(world: World) -> None:
    first = await world.acme.subject(request_id="r1", display_name="Ada")
    assert await world.acme.subject(request_id="r1", display_name="Ada") == first
    assert await world.acme.subject(request_id="r2") != first
    assert await world.caller(world.keys["globex"]).subject(request_id="r1") != first
    assert len(world.rows(schema.subjects)) == 3


async def test_a_subject_is_renamed_and_nothing_tells_its_old_name(world: World) -> None:
    name = await world.acme.subject(display_name="Ada", request_id="r1")
    update = subjects_pb2.UpdateSubjectRequest
    assert (await world.acme("UpdateSubject", update(name=name))).subject.display_name == "Ada"
    assert (await world.acme("UpdateSubject", update(name=name, display_name="Bob"))).subject.display_name == "Bob"
    assert "Ada" not in repr(world.rows(schema.subjects))
    assert await world.acme.subject(display_name="Ada", request_id="r1") == name
    assert (await world.acme("UpdateSubject", update(name=name, display_name=""))).subject.display_name == ""


async def test_pages_hold_every_subject_once_newest_first(world: World) -> None:
    names = [await world.acme.subject() for _ in range(7)]
    listed: list[subjects_pb2.Subject] = []
    token, sizes = "", []
    while True:
        page = await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest(page_size=3, page_token=token))
        listed += page.subjects
        sizes.append(len(page.subjects))
        token = page.next_page_token
        if not token:
            break
        await world.acme.subject()  # newer than the page: shifts nothing
    assert sizes == [3, 3, 1]
    assert sorted(subject.name for subject in listed) == sorted(names)
    times = [subject.create_time.ToNanoseconds() for subject in listed]
    assert times == sorted(times, reverse=True)
    for token in ("nonsense", "W10", "WzEsMl0", "é"):
        with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
            await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest(page_token=token))
    for position in ((1e999, "a"), (float("nan"), "a"), (1.0, "\0"), (1.0, "\ud800")):
        with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
            await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest(page_token=encode_token(position)))
    for number in (10**30, -(10**30), 2**63):
        request = photos_pb2.ListPhotosRequest(parent=names[0], page_token=encode_token((number,)))
        with refused(InvalidArgumentError, "PAGE_TOKEN_INVALID"):
            await world.acme("ListPhotos", request)


async def test_names_may_hold_anything_but_nul(world: World) -> None:
    name = "Ada \u00c5ngstr\u00f6m\n\u2603 \U0001f642"
    made = (await world.acme("CreateSubject", subjects_pb2.CreateSubjectRequest(display_name=name))).subject
    assert made.display_name == name


async def test_constraints_of_the_contract_are_enforced(world: World) -> None:
    for method, request, field in (
        ("CreateSubject", subjects_pb2.CreateSubjectRequest(class_noun="Mr. 7"), "class_noun"),
        ("CreateSubject", subjects_pb2.CreateSubjectRequest(request_id="a b"), "request_id"),
        ("CreateSubject", subjects_pb2.CreateSubjectRequest(display_name="A\0da"), "display_name"),
        ("GetSubject", subjects_pb2.GetSubjectRequest(name="people/1"), "name"),
        ("ListSubjects", subjects_pb2.ListSubjectsRequest(page_size=1001), "page_size"),
    ):
        with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED") as caught:
            await world.acme(method, request)
        assert [violation.field for violation in caught.value.violations] == [field]
