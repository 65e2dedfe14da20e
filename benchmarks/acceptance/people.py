"""Draws the people, and for each a look-alike who shares most of the face; and their photos and true portraits."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from foundry.portraits import DEFAULT_FRAMING, Identity, held_out_seed, render, sample_identity, sample_scene, sibling
from headshots.artifacts import ArtifactStore
from headshots.styles.recipe import Style
from services.trainer.queue.job import PhotoRef

# Apart from everybody that nets, recipes, judges and published figures were made or tried on.
FIRST_PERSON = 50_000
# Whose parameters a look-alike has where they are not the person's own.
FIRST_RELATIVE = 60_000
# Share of the parameters that a look-alike has from the person, as `foundry.portraits.sibling` draws them.
LIKENESS = 0.6
SELFIES, SELFIE_PX = 10, 256

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Person:
    """Somebody who never existed: `number` from 0, and whether it is the look-alike of the person of this number."""

    number: int
    is_look_alike: bool = False

    @property
    def name(self) -> str:
        """For folders and keys."""
        return f"{self.number:02d}{'-look-alike' if self.is_look_alike else ''}"

    @property
    def identity(self) -> Identity:
        """What is drawn."""
        own = sample_identity(held_out_seed(FIRST_PERSON + self.number))
        if not self.is_look_alike:
            return own
        return sibling(own, held_out_seed(FIRST_RELATIVE + self.number), LIKENESS)


def selfies(person: Person) -> list[Pixels]:
    """`SELFIES` casual photos, as uploads are."""
    return list(_drawn_selfies(person))


def _drawn_selfies(person: Person) -> Iterator[Pixels]:
    identity = person.identity
    for index in range(SELFIES):
        scene = sample_scene(np.random.default_rng([identity.seed, index, 0x5E1F]), "selfie", jpeg_quality=0)
        packed = io.BytesIO()
        Image.fromarray(render(identity, scene, SELFIE_PX)).save(packed, "JPEG", quality=90)
        yield np.asarray(Image.open(packed).convert("RGB"))


def upload(store: ArtifactStore, person: Person) -> tuple[PhotoRef, ...]:
    """The selfies, in the store as the gateway would have put them there."""
    photos = []
    for pixels in selfies(person):
        packed = io.BytesIO()
        Image.fromarray(pixels).save(packed, "PNG")
        digest = hashlib.sha256(packed.getvalue()).hexdigest()
        key = f"people/{person.name}/photos/{digest}.png"
        store.put_sync(key, packed.getvalue())
        photos.append(PhotoRef(key, digest))
    return tuple(photos)


def true_portrait(person: Person, style: Style, shot: int, side_px: int, framing: str = DEFAULT_FRAMING) -> Pixels:
    """The person drawn in a style's scene: what a perfect foundation of that framing would paint."""
    identity = person.identity
    rng = np.random.default_rng([identity.seed, shot, 0xACCE])
    scene = sample_scene(rng, "studio", framing, outfit=style.outfit, backdrop=style.backdrop, light=style.lighting)
    return render(identity, scene, side_px)
