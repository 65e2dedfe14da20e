"""Orders a team: the demo's person and two more, who are trained in short, in one look."""

from __future__ import annotations

from collections.abc import Sequence

from headshots.client import (
    AsyncHeadshots,
    Consent,
    Frame,
    JobState,
    LookOptions,
    Subject,
    Team,
    TeamMember,
    Training,
    TrainingOptions,
)
from headshots.console.output import progress
from headshots.demo.display import Display, StageDisplay
from headshots.demo.people import Person
from headshots.demo.results.album import OneLook, Teammate
from headshots.diffusion.foundations.foundation import Foundation
from headshots.looks.fitting import Painted, fitted

LOOK = "demo"
# The recipe's 400 take as long as the whole shoot; one portrait each in a plain studio is alike after fewer.
BUNDLED_STEPS = 80
# Narrower and nearer than what is painted, so that few pictures have no room for it. A foundation that tells how high
# heads are in its portraits gets the default: in a nearer frame the sides of broad faces are cut.
WIDTH, HEIGHT, HEAD_HEIGHT = 3 / 4, 15 / 16, 0.75
# A picture without room costs a try.
MAX_TRIES = 6


def frame_within(foundation: Foundation) -> Frame:
    """The frame of the team for portraits of this foundation: 96 x 120 of 128 x 128, heads nearer than in these."""
    size = foundation.native_width_px, foundation.native_height_px
    painted = Painted.told(foundation.head_height, foundation.eye_line, *size)
    nearer = HEAD_HEIGHT if painted is None else None
    made = fitted(round(WIDTH * size[0]), round(HEIGHT * size[1]), painted, head_height=nearer)
    return Frame(made.width_px, made.height_px, made.eye_line, made.head_height)


async def check_look(client: AsyncHeadshots, subject: Subject, style: str, frame: Frame) -> str:
    """Make the look, and ask whether portraits in it can be ordered: who else is in the team is trained after that.

    Raises:
        HeadshotsError: what the gateway refused, as FRAME_NEEDS_ANALYZER.
    """
    options = LookOptions(max_tries=MAX_TRIES)
    look = await client.create_look(LOOK, [style], frame, display_name="The demo's team", options=options)
    await client.create_team(look, [subject], validate_only=True)
    return look.name


async def train_colleagues(
    client: AsyncHeadshots, people: Sequence[Person], steps: int | None, display: Display
) -> list[Subject]:
    """Upload their photos, and train one after the other; `steps` as for `TrainingOptions`.

    Raises:
        HeadshotsError: what the gateway refused, or why a training failed.
    """
    with display.stage("colleagues", "Training two colleagues") as shown:
        ordered = [await _order_training(client, person, steps) for person in people]
        for number, (_, training) in enumerate(ordered):

            def tell(now: Training, number: int = number) -> None:
                done, total = now.step, now.total_steps
                share = number + (done / total if total else 0)
                shown.update(share, len(ordered), count=progress(done, total), detail=people[number].name)

            await client.wait_training(training, on_progress=tell)
        return [subject for subject, _ in ordered]


async def _order_training(client: AsyncHeadshots, person: Person, steps: int | None) -> tuple[Subject, Training]:
    inspection = await client.inspect_photos(photos=person.photos)
    pairs = zip(person.photos, inspection.photos, strict=True)
    usable = [path for path, photo in pairs if photo.usable]
    agreed = Consent(person.statement, reference="headshots demo")
    subject = await client.create_subject(person.name, class_noun=person.class_noun, consent=agreed)
    await client.upload_photos(subject, usable)
    return subject, await client.create_training(subject, TrainingOptions(steps=steps))


async def order_team(
    client: AsyncHeadshots, look: str, members: Sequence[Subject], style: str, display: Display
) -> OneLook:
    """Order it, wait for it, and fetch a portrait of each; shown as a stage. `style`: the look's, for people.

    Raises:
        HeadshotsError: what the gateway refused, or that no member has a portrait.
    """
    with display.stage("team", "Painting a team") as shown:
        made = await client.create_team(look, members)
        done = await client.wait_team(made, on_progress=lambda now: _tell(now, shown))
        names = {subject.name: subject.display_name for subject in members}
        mates = [await _fetch(client, member, names[member.subject]) for member in done.members]
    return OneLook(style, mates, done.consistency[0] if done.consistency else None)


def _tell(now: Team, shown: StageDisplay) -> None:
    ended = sum(member.state.terminal for member in now.members)
    again = not now.state.terminal and ended == len(now.members)
    detail = now.status_message or ("looking at what falls out" if again else "")
    shown.update(ended, len(now.members), count=progress(ended, len(now.members)), detail=detail)


async def _fetch(client: AsyncHeadshots, member: TeamMember, name: str) -> Teammate:
    """Their portrait: there is one of each in the look."""
    if not member.portraits:
        said = f"{member.failure.reason}: {member.failure.message}" if member.failure else member.status_message
        return Teammate(name, None, None, said or f"its shoot ended as {JobState(member.state).value}")
    return Teammate(name, await client.get_image(member.portraits[0].image), member.portraits[0])
