"""Makes subjects with photos, and trained ones, through the SDK."""

from __future__ import annotations

import io

from PIL import Image

from headshots.client import AsyncHeadshots, Subject


def selfie(number: int) -> bytes:
    """A small JPEG; each number gives another."""
    packed = io.BytesIO()
    Image.new("RGB", (64, 48), (number, 90, 90)).save(packed, "JPEG")
    return packed.getvalue()


async def subject_with_photos(client: AsyncHeadshots, count: int = 6) -> Subject:
    """A new subject with that many photos."""
    subject = await client.create_subject("Ada", class_noun="woman")
    await client.upload_photos(subject, [selfie(number) for number in range(count)])
    return subject


async def trained(client: AsyncHeadshots) -> Subject:
    """A new subject that has been trained."""
    subject = await subject_with_photos(client)
    await client.train(subject)
    return subject
