"""Keeps the images that are denoised now, and picks those of the next UNet call.

Not thread-safe: its owner holds a lock.
"""

from __future__ import annotations

from collections import deque

from services.generator.batching.denoising import ImageState
from services.generator.batching.jobs import Job


class Batch:
    """Images of all sizes. A UNet call takes images of one size; the sizes are served round robin."""

    def __init__(self) -> None:
        self._owner: dict[ImageState, tuple[Job, int]] = {}
        self._sizes: deque[tuple[int, ...]] = deque()

    def __contains__(self, image: ImageState) -> bool:
        return image in self._owner

    @property
    def rows(self) -> int:
        """Rows that all images may take at once: what an image needs later stays free for it."""
        return sum(image.rows for image in self._owner)

    @property
    def row_steps(self) -> int:
        """Work left in it, in rows times steps."""
        return sum(image.row_steps for image in self._owner)

    def owner(self, image: ImageState) -> tuple[Job, int]:
        """The job that ``image`` belongs to, and the image's number."""
        return self._owner[image]

    def add(self, image: ImageState, job: Job, index: int) -> None:
        """Image ``index`` of ``job`` joins."""
        self._owner[image] = (job, index)
        job.in_batch[index] = image

    def remove(self, job: Job, index: int) -> None:
        """Image ``index`` of ``job`` leaves."""
        del self._owner[job.in_batch.pop(index)]

    def choose(self) -> list[ImageState]:
        """All images of the size that comes next; none when the batch is empty."""
        sizes = {image.latents_CHW.shape for image in self._owner}
        if not sizes:
            return []
        self._sizes = deque(size for size in self._sizes if size in sizes)
        self._sizes.extend(sorted(sizes - set(self._sizes)))
        size = self._sizes.popleft()
        self._sizes.append(size)
        return [image for image in self._owner if image.latents_CHW.shape == size]
