"""Joins all groups of calls to the asyncio client."""

from __future__ import annotations

from headshots.client.calls.foundations import FoundationCalls
from headshots.client.calls.galleries import GalleryCalls
from headshots.client.calls.packs import PackCalls
from headshots.client.calls.photos import PhotoCalls
from headshots.client.calls.styles import StyleCalls
from headshots.client.calls.subjects import SubjectCalls
from headshots.client.calls.tenants import TenantCalls
from headshots.client.calls.trainings import TrainingCalls


class AsyncHeadshots(
    TenantCalls, SubjectCalls, PhotoCalls, TrainingCalls, GalleryCalls, StyleCalls, FoundationCalls, PackCalls
):
    """The public API for asyncio.

    ::

        async with AsyncHeadshots("127.0.0.1:50051", api_key) as headshots:
            subject = await headshots.create_subject("Ada", class_noun="woman")
            await headshots.upload_photos(subject, Path("selfies").glob("*.jpg"))
            await headshots.train(subject)
            async for painted in headshots.generate(subject, ["studio-navy-suit"]):
                Path(f"{painted.image.seed}.png").write_bytes(painted.content)

    Calls raise `headshots.errors`. Those that may be repeated are retried while the gateway is away; watches connect
    again when it restarts.
    """
