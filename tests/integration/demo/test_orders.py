"""What the demo orders beside its shoot, over real gRPC with a gateway in memory: a remix and a team."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from headshots.client import RemixChange, StyleRecipe
from headshots.demo.display import Display
from headshots.demo.memory import MemoryWatch
from headshots.demo.options import DemoOptions
from headshots.demo.orders.remix import BACKDROP, LIGHT, choose
from headshots.demo.orders.team import BUNDLED_STEPS
from headshots.demo.people import sample_person
from headshots.demo.results.album import Album, Missing, OneLook, Remixed
from headshots.demo.services import DemoServices
from headshots.demo.steps import NOT_REACHED, DemoRun
from headshots.errors import FailedPreconditionError, InvalidArgumentError
from headshots.processes.fleet import ServicesFailedError
from headshots.v1 import trainings_pb2
from tests.support.fake_gateway.gateway import API_KEY, FakeGateway, start_fake_gateway
from tests.support.images.albums import album


class Services:
    """Stands in for the demo's three: a gateway in memory, which tells when one has died."""

    def __init__(self, fake: FakeGateway, folder: Path, port: int) -> None:
        self.gateway = f"127.0.0.1:{port}"
        self.api_key_file = folder / "api-key"
        self.api_key_file.write_text(API_KEY)
        self._died = fake.died if isinstance(fake, Dying) else asyncio.Event()

    async def start(self, on_serving: Callable[[int], None]) -> None:
        on_serving(3)

    async def watch(self) -> None:
        await self._died.wait()
        raise ServicesFailedError("SERVICE_DIED", "the trainer ended with exit code -9")


class Dying(FakeGateway):
    """Nobody is there any more to go on with a look."""

    def __init__(self) -> None:
        super().__init__()
        self.died = asyncio.Event()

    async def CreateLook(self, request: Any, context: Any) -> Any:
        self.died.set()
        await asyncio.Event().wait()


class Waiting(FakeGateway):
    """Never answers who asks for a look, or for another backdrop where `in_remix`."""

    def __init__(self, *, in_remix: bool) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self._in_remix = in_remix

    async def CreateLook(self, request: Any, context: Any) -> Any:
        self.reached.set()
        await asyncio.Event().wait()

    async def CreateGallery(self, request: Any, context: Any) -> Any:
        if request.remix.change and self._in_remix:
            self.reached.set()
            await asyncio.Event().wait()
        return await super().CreateGallery(request, context)


class NothingChanges(FakeGateway):
    """Refuses every change of an image."""

    async def CreateGallery(self, request: Any, context: Any) -> Any:
        if request.remix.change:
            raise InvalidArgumentError("REMIX_STYLE_WHOLE_PROMPT", "the style says all in one prompt")
        return await super().CreateGallery(request, context)


class SecondFails(FakeGateway):
    """Whoever comes as the second has no portrait."""

    async def WatchTeam(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.failing_members = {list(self.subjects)[1]}
        async for message in super().WatchTeam(request, context):
            yield message


async def run(
    folder: Path, fake: FakeGateway, *, photos: bool = False, stopped_at: asyncio.Event | None = None
) -> tuple[Album, str]:
    """The demo's album, or what it has finished where it is stopped at an event; and what was said."""
    said = io.StringIO()
    server = await start_fake_gateway(fake)
    services = Services(fake, folder, server.port)
    own = folder / "own"
    if photos:
        sample_person(3, own)
    options = DemoOptions(folder, folder / "engines", photos=own if photos else None, shots_per_style=2)
    display = Display(Console(file=said, width=400))
    try:
        demo = DemoRun(options, folder, cast(DemoServices, services), display, MemoryWatch())
        running = asyncio.create_task(demo.album(package_is_there=True))
        if stopped_at is None:
            return await running, said.getvalue()
        await stopped_at.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        finished = demo.finished()
        assert finished is not None
        return finished, said.getvalue()
    finally:
        await server.stop()


async def test_the_best_portrait_gets_another_backdrop_and_three_people_one_look(tmp_path: Path) -> None:
    fake = FakeGateway()
    made, _ = await run(tmp_path, fake)
    assert isinstance(made.remix, Remixed)
    assert made.remix.before == made.portraits[0]
    assert (made.remix.change, made.remix.words, made.remix.note) == (RemixChange.BACKDROP, BACKDROP, "")
    assert made.remix.after.image.name != made.remix.before.painted.image.name
    assert isinstance(made.team, OneLook)
    assert [mate.name for mate in made.team.members] == ["Person 7", "Person 8", "Person 9"]
    assert all(mate.painted is not None and mate.painted.content for mate in made.team.members)
    [look] = fake.looks.values()
    assert list(look.styles) == [made.shoot.styles[0]]
    assert (look.frame.width_px, look.frame.height_px) == (96, 120)
    ordered = [each for each in fake.requests if isinstance(each, trainings_pb2.CreateTrainingRequest)]
    assert [each.options.steps for each in ordered[-2:]] == [BUNDLED_STEPS] * 2
    assert [stage.name for stage in made.stages][-3:] == ["remix", "colleagues", "team"]
    assert len(made.portraits) == made.shoot.asked


async def test_where_nobody_tells_the_backdrop_the_light_changes_and_the_page_says_why(tmp_path: Path) -> None:
    fake = FakeGateway()
    fake.parts_known = False
    made, _ = await run(tmp_path, fake)
    assert isinstance(made.remix, Remixed)
    assert (made.remix.change, made.remix.words) == (RemixChange.LIGHT, LIGHT)
    assert made.remix.note == "The backdrop was refused: the analyzer does not tell its backdrop."


async def test_ones_own_photos_are_of_one_person_so_there_is_no_team(tmp_path: Path) -> None:
    fake = FakeGateway()
    made, _ = await run(tmp_path, fake, photos=True)
    assert isinstance(made.remix, Remixed)
    assert isinstance(made.team, Missing)
    assert made.team.reason == "ONE_PERSON"
    assert not fake.teams
    assert len(fake.subjects) == 1


async def test_a_member_without_a_portrait_is_told_by_name(tmp_path: Path) -> None:
    made, _ = await run(tmp_path, SecondFails())
    assert isinstance(made.team, OneLook)
    second = made.team.members[1]
    assert (second.name, second.painted, second.portrait) == ("Person 8", None, None)
    assert second.why.startswith("TRAINING_KILLED: ")
    assert made.team.members[2].painted is not None


async def test_a_refused_remix_costs_neither_gallery_nor_team(tmp_path: Path) -> None:
    made, said = await run(tmp_path, NothingChanges())
    assert made.remix == Missing("REMIX_STYLE_WHOLE_PROMPT", "the style says all in one prompt")
    assert "there is no remix: REMIX_STYLE_WHOLE_PROMPT: the style says" in said
    assert isinstance(made.team, OneLook)
    assert len(made.portraits) == made.shoot.asked


async def test_a_service_that_dies_over_the_team_does_not_cost_the_gallery(tmp_path: Path) -> None:
    made, said = await run(tmp_path, Dying())
    assert len(made.portraits) == made.shoot.asked
    assert isinstance(made.remix, Remixed)
    assert made.team == Missing("SERVICE_DIED", "the trainer ended with exit code -9")
    assert "there is no team: SERVICE_DIED: the trainer ended" in said
    assert "team" not in {stage.name for stage in made.stages}


@pytest.mark.parametrize("in_remix", [True, False])
async def test_who_stops_over_remix_or_team_keeps_what_was_finished(tmp_path: Path, in_remix: bool) -> None:
    fake = Waiting(in_remix=in_remix)
    made, _ = await run(tmp_path, fake, stopped_at=fake.reached)
    assert len(made.portraits) == made.shoot.asked
    assert isinstance(made.remix, Missing) == in_remix
    assert made.team == NOT_REACHED


def test_no_refused_portrait_is_remixed_and_rather_one_before_another_backdrop() -> None:
    portraits = album().portraits
    assert choose(portraits) == portraits[0]
    city = replace(portraits[0], style=replace(portraits[0].style, recipe=StyleRecipe(backdrop=BACKDROP)))
    assert choose([city, *portraits[1:]]) == portraits[1]
    assert choose([city]) == city
    with pytest.raises(FailedPreconditionError, match="PORTRAITS_REFUSED"):
        choose(portraits[-1:])
