"""The asyncio client."""

from __future__ import annotations

from headshots.client.galleries import GalleryCalls
from headshots.client.subjects import SubjectCalls
from headshots.client.trainings import TrainingCalls


class AsyncHeadshots(SubjectCalls, TrainingCalls, GalleryCalls):
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
