"""Looks and teams through the SDK, over real gRPC with a gateway in memory."""

from __future__ import annotations

import pytest

from headshots.client import (
    AsyncHeadshots,
    Frame,
    ImageFormat,
    JobFailedError,
    JobState,
    LookOptions,
    SeedPolicy,
    TeamFault,
)
from headshots.errors import AlreadyExistsError, CancelledByCallerError, FailedPreconditionError, InvalidArgumentError
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES

FRAME = Frame(96, 120)


async def people(client: AsyncHeadshots, count: int) -> list[str]:
    """Names of subjects with adapters."""
    made = [await client.create_subject(f"Person {number}") for number in range(count)]
    for subject in made:
        await client.upload_photos(subject, [painted_png("selfie", number) for number in range(6)])
        await client.train(subject)
    return [subject.name for subject in made]


async def test_looks_are_made_changed_listed_and_archived(client: AsyncHeadshots, fake: FakeGateway) -> None:
    options = LookOptions(seed_policy=SeedPolicy.VARIED, max_repaints=0, format=ImageFormat.JPEG, quality=90)
    made = await client.create_look("office", STYLES[:2], FRAME, options=options)
    assert (made.name, made.version, made.styles, made.portraits) == (
        "looks/office",
        1,
        tuple(f"styles/{style}" for style in STYLES[:2]),
        2,
    )
    assert made.frame == Frame(96, 120, 0.45, 0.72)
    assert (made.seed_policy, made.max_repaints, made.format, made.quality) == (
        SeedPolicy.VARIED,
        0,
        ImageFormat.JPEG,
        90,
    )
    changed = await client.update_look(made, frame=Frame(128, 128, 0.5, 0.8), options=LookOptions(portraits=4))
    assert (changed.version, changed.frame, changed.portraits) == (2, Frame(128, 128, 0.5, 0.8), 4)
    assert changed.seed_policy is SeedPolicy.VARIED
    assert await client.get_look("office") == changed
    assert (await client.archive_look(changed)).archived
    assert [look async for look in client.list_looks()] == []
    assert [look.name async for look in client.list_looks(include_archived=True)] == ["looks/office"]
    with pytest.raises(InvalidArgumentError) as caught:
        await client.create_look("none", STYLES[:1], Frame(96, 120, 0.1, 0.9))
    assert caught.value.reason == "FRAME_IMPOSSIBLE"


async def test_a_team_is_ordered_followed_and_joined(client: AsyncHeadshots, fake: FakeGateway) -> None:
    look = await client.create_look("office", STYLES[:1], FRAME)
    first, second, third, late = await people(client, 4)
    fake.failing_members, fake.outlying_members = {second}, {third}
    would_be = await client.create_team(look, [first, second], validate_only=True)
    assert would_be.members[0].quote is not None
    assert would_be.members[0].quote.images == 1
    made = await client.create_team(look, [first, second, third])
    seen: list[JobState] = []
    team = await client.wait_team(made, on_progress=lambda now: seen.append(now.state))
    assert seen == [JobState.PENDING, *[JobState.RUNNING] * 3, JobState.SUCCEEDED]
    assert [member.state for member in team.members] == [JobState.SUCCEEDED, JobState.FAILED, JobState.SUCCEEDED]
    assert team.members[1].failure is not None
    assert team.members[1].failure.reason == "TRAINING_KILLED"
    (portrait,) = team.members[2].portraits
    assert (portrait.faults, portrait.repaints) == ((TeamFault.BACKDROP,), 2)
    assert portrait.measures is not None
    assert portrait.measures.backdrop == (60.0, 0.0, -3.0)
    (told,) = team.consistency
    assert (told.outliers, told.portraits) == ((portrait.image,), 2)
    assert told.backdrop_delta_e == 0.75
    joined = await client.wait_team(await client.add_team_members(team, [late]))
    assert [member.subject for member in joined.members][-1] == late
    assert joined.look_version == 1
    with pytest.raises(AlreadyExistsError):
        await client.add_team_members(team, [first])
    assert [each.name async for each in client.list_teams()] == [made.name]
    assert await client.get_team(made) == joined


async def test_a_team_that_ends_badly_raises(client: AsyncHeadshots, fake: FakeGateway) -> None:
    look = await client.create_look("office", STYLES[:1], FRAME)
    (subject,) = await people(client, 1)
    fake.failing_members = {subject}
    with pytest.raises(JobFailedError) as caught:
        await client.wait_team(await client.create_team(look, [subject]))
    assert caught.value.reason == "TEAM_WITHOUT_PORTRAITS"
    cancelled = await client.cancel_team(await client.create_team(look, [subject]))
    assert cancelled.state is JobState.CANCELLED
    with pytest.raises(CancelledByCallerError):
        await client.wait_team(cancelled)
    bare = await client.create_subject("Nobody")
    with pytest.raises(FailedPreconditionError) as refused:
        await client.create_team(look, [bare])
    assert refused.value.reason == "SUBJECT_UNTRAINED"
    with pytest.raises(TypeError):
        await client.create_team(look, subject)
