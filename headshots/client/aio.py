"""Joins all groups of calls to the asyncio client."""

from __future__ import annotations

from headshots.client.calls.foundations import FoundationCalls
from headshots.client.calls.galleries import GalleryCalls
from headshots.client.calls.images import ImageCalls
from headshots.client.calls.links import LinkCalls
from headshots.client.calls.packs import PackCalls
from headshots.client.calls.photos import PhotoCalls
from headshots.client.calls.profiles import ProfileCalls
from headshots.client.calls.shoots import ShootCalls
from headshots.client.calls.styles import StyleCalls
from headshots.client.calls.subjects import SubjectCalls
from headshots.client.calls.tenants import TenantCalls
from headshots.client.calls.trainings import TrainingCalls
from headshots.client.teams.calls import TeamCalls


class AsyncHeadshots(
    TenantCalls,
    SubjectCalls,
    PhotoCalls,
    ShootCalls,
    TrainingCalls,
    GalleryCalls,
    ImageCalls,
    LinkCalls,
    StyleCalls,
    PackCalls,
    ProfileCalls,
    FoundationCalls,
    TeamCalls,
):
    """The public API for asyncio.

    ::

        async with AsyncHeadshots("127.0.0.1:50051", api_key) as headshots:
            agreed = Consent("Portraits of me may be made.", version="2026-11")
            subject = await headshots.create_subject("Ada", class_noun="woman", consent=agreed)
            await headshots.upload_photos(subject, Path("selfies").glob("*.jpg"))
            shoot = await headshots.shoot(subject, pack="business", count=40)
            print(shoot.guarantee, shoot.delivered, "of", shoot.asked)
            await headshots.download_images(shoot.gallery, "portraits", best=10)

    Calls raise `headshots.errors`, and each method lists its own. Any call may raise besides:

    - UnauthenticatedError: the key is unknown or revoked.
    - InvalidArgumentError: NAME_INVALID: a name is none; CONSTRAINT_VIOLATED: a field breaks a limit, and `violations`
      tells which.
    - ResourceExhaustedError: a limit of the tenant or of the gateway; `retry_after_seconds` tells when to come back.
    - UnavailableError, DeadlineExceededError: the gateway, or what it depends on, is away or too slow.
    - InternalError: a defect of the gateway.

    Calls that may be repeated are retried while the gateway is away; watches connect again when it restarts.
    """
