"""Makes subjects that have one of everything that a subject can have."""

from __future__ import annotations

from headshots.v1 import galleries_pb2, looks_pb2, packs_pb2, profiles_pb2, styles_pb2, subjects_pb2, teams_pb2
from tests.support.gateway import shoots
from tests.support.gateway.caller import Caller, selfie
from tests.support.gateway.names import Names
from tests.support.gateway.peer import FOUNDATION_DIGEST

RECIPE = styles_pb2.StyleRecipe(prompt="photo of {subject}")


async def furnished(caller: Caller, number: int) -> Names:
    """A subject with one of everything; only the first has an image 0 and no image 1."""
    subject = await caller.subject()
    photos = await caller.upload(subject, *(selfie(100 * (number + 1) + at) for at in range(6)))
    training = await caller.finished_training((await caller.create_training(subject)).name)
    style = styles_pb2.CreateStyleRequest(style_id=f"style-of-{number}" + "e" * 6, recipe=RECIPE)
    await caller("CreateStyle", style)
    profile = profiles_pb2.CreateProfileRequest(profile_id=f"profile-of-{number}" + "f" * 4)
    await caller("CreateProfile", profile)
    pack_style = packs_pb2.PackStyle(style=f"styles/{style.style_id}", shots=1)
    pack = packs_pb2.CreatePackRequest(pack_id=f"pack-of-{number}" + "0" * 7, styles=[pack_style])
    await caller("CreatePack", pack)
    look = looks_pb2.CreateLookRequest(look_id=f"look-of-{number}" + "1" * 7, styles=[f"styles/{style.style_id}"])
    look.frame.width_px = look.frame.height_px = 64
    await caller("CreateLook", look)
    gallery = await caller.gallery(subject, [style.style_id], shots_per_style=2 if number else 1)
    await caller.finished_gallery(gallery)
    image = f"{gallery}/images/{1 if number else 0}"
    await caller("GetImage", galleries_pb2.GetImageRequest(name=image))
    ids: dict[str, str] = {"styles": style.style_id, "profiles": profile.profile_id}
    ids |= {"foundations": FOUNDATION_DIGEST, "packs": pack.pack_id}
    ids |= {"erasures": (await caller("DeleteSubject", await another(caller))).erasure.split("/")[1]}
    shoot = await shoots.finished(caller, (await shoots.order(caller, subject, count=1)).name)
    ids |= {"looks": look.look_id, "teams": await _team(caller, look.look_id)}
    for name in (photos[0].name, training.name, image, shoot.name):
        segments = name.split("/")
        ids |= dict(zip(segments[::2], segments[1::2], strict=True))
    return Names(ids, {"photos": tuple(photo.name.rsplit("/", 1)[1] for photo in photos[1:])})


async def _team(caller: Caller, look_id: str) -> str:
    """The id of a team which has ended, and whose only member is erased: anybody may be added."""
    member = await caller.trained_subject()
    request = teams_pb2.CreateTeamRequest(look=f"looks/{look_id}", members=[member])
    made = (await caller("CreateTeam", request)).team.name
    async for _ in caller.stream("WatchTeam", teams_pb2.WatchTeamRequest(name=made)):
        pass
    await caller("DeleteSubject", subjects_pb2.DeleteSubjectRequest(name=member))
    return str(made).split("/")[1]


async def another(caller: Caller) -> subjects_pb2.DeleteSubjectRequest:
    """The request that erases one more subject of the caller's."""
    return subjects_pb2.DeleteSubjectRequest(name=await caller.subject())
