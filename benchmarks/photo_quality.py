"""Prints the figures that `headshots.imaging.quality.QualityLimits` quotes: `python -m benchmarks.photo_quality`.

Drawn selfies of people who never existed, as they are and made worse in known ways. Takes a minute or so.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
from PIL import Image, ImageFilter

from foundry.portraits import Identity, Portrait, Scene, held_out_seed, render_portrait, sample_identity, sample_scene
from headshots.imaging import quality

PEOPLE, SELFIES, SIZE_PX = 20, 8, 256
BLURS, GAINS = (0.0, 0.4, 0.8, 1.2, 1.6), (0.25, 0.5, 1.0, 2.0, 3.0, 4.0)


def main() -> None:
    """Prints it all."""
    albums = [[_portrait(identity, scene) for scene in _scenes(seed)] for identity, seed in _people()]
    selfies = [portrait for album in albums for portrait in album]
    _print_sharpness(selfies)
    _print_exposure(selfies)
    _print_distances(albums)
    _print_spreads()
    heights = [(each.box[3] - each.box[1]) / SIZE_PX for each in selfies]
    _row("face share", heights)


def _people() -> Iterator[tuple[Identity, int]]:
    for person in range(PEOPLE):
        seed = held_out_seed(person * 7 + 1)
        yield sample_identity(seed), seed


def _scenes(seed: int) -> list[Scene]:
    """As `sample_selfies` has them."""
    return [
        sample_scene(np.random.default_rng([seed, index, 0x5E1F]), "selfie", jpeg_quality=0) for index in range(SELFIES)
    ]


def _portrait(identity: Identity, scene: Scene) -> Portrait:
    portrait = render_portrait(identity, scene, SIZE_PX)
    return dataclasses.replace(portrait, pixels=np.asarray(_saved(Image.fromarray(portrait.pixels), 90)))


def _print_sharpness(selfies: Sequence[Portrait]) -> None:
    for percent in BLURS:
        blur = ImageFilter.GaussianBlur(percent / 100 * SIZE_PX)
        lumas = [quality.luma(np.asarray(Image.fromarray(each.pixels).filter(blur))) for each in selfies]
        faces = [quality.cut(luma_HW, each.box) for luma_HW, each in zip(lumas, selfies, strict=True)]
        _row(f"sharpness of faces, blur {percent} %", map(quality.face_sharpness, faces))
        _row(f"sharpness of photos, blur {percent} %", map(quality.photo_sharpness, lumas))


def _print_exposure(selfies: Sequence[Portrait]) -> None:
    for gain in GAINS:
        lumas = [quality.luma(_lit(each.pixels, gain)) for each in selfies]
        faces = [quality.cut(luma_HW, each.box) for luma_HW, each in zip(lumas, selfies, strict=True)]
        _row(f"face luma p95, gain {gain}", (np.percentile(face_HW, 95) for face_HW in faces))
        _row(f"face luma p50, gain {gain}", (np.percentile(face_HW, 50) for face_HW in faces))
        _row(f"photo luma p95, gain {gain}", (np.percentile(luma_HW, 95) for luma_HW in lumas))
        _row(f"photo luma p25, gain {gain}", (np.percentile(luma_HW, 25) for luma_HW in lumas))


def _print_distances(albums: Sequence[Sequence[Portrait]]) -> None:
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "saved at quality 30": lambda image: _saved(image, 30),
        "half the size": lambda image: image.resize((SIZE_PX // 2, SIZE_PX // 2), Image.Resampling.LANCZOS),
        "grey": lambda image: image.convert("L").convert("RGB"),
        "brighter": lambda image: Image.fromarray(_lit(np.asarray(image), 1.2)),
        "darker": lambda image: Image.fromarray(_lit(np.asarray(image), 0.7)),
        "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        "2 % cut off all around": lambda image: image.crop((5, 5, SIZE_PX - 5, SIZE_PX - 5)),
    }
    hashes = [[quality.perceptual_hash(quality.luma(each.pixels)) for each in album] for album in albums]
    apart = [143 * quality.hash_distance(*pair) for album in hashes for pair in combinations(album, 2)]
    _row("bits between selfies of a person", apart)
    for name, change in changes.items():
        bits = []
        for album, known in zip(albums, hashes, strict=True):
            for portrait, hash_N in zip(album, known, strict=True):
                changed_HWC = np.asarray(change(Image.fromarray(portrait.pixels)))
                bits.append(143 * quality.hash_distance(quality.perceptual_hash(quality.luma(changed_HWC)), hash_N))
        _row(f"bits to the same {name}", bits)


def _print_spreads() -> None:
    for name, vary in {"selfies": _as_they_are, "one outfit, one wall": _one_wall, "burst": _burst}.items():
        spreads, poses = [], []
        for identity, seed in _people():
            album = [render_portrait(identity, scene, SIZE_PX) for scene in vary(seed)]
            spreads.append(quality.hash_spread([quality.perceptual_hash(quality.luma(each.pixels)) for each in album]))
            poses.append(quality.pose_spread([quality.pose(each.landmarks) for each in album]))
        _row(f"hash spread, {name}", spreads)
        _row(f"pose spread, {name}", poses)


def _as_they_are(seed: int) -> list[Scene]:
    return _scenes(seed)


def _one_wall(seed: int) -> list[Scene]:
    first, *_ = scenes = _scenes(seed)
    return [
        dataclasses.replace(each, outfit=first.outfit, backdrop=first.backdrop, light=first.light) for each in scenes
    ]


def _burst(seed: int) -> list[Scene]:
    """Only the head moves, a little, and the expression."""
    first, *_ = scenes = _scenes(seed)
    rng = np.random.default_rng([seed, 0xB0257])
    return [
        dataclasses.replace(
            first,
            yaw=first.yaw + rng.uniform(-8, 8),
            roll=first.roll + rng.uniform(-3, 3),
            dx=first.dx + rng.uniform(-2, 2),
            dy=first.dy + rng.uniform(-2, 2),
            smile=each.smile,
        )
        for each in scenes
    ]


def _lit(pixels_HWC: np.ndarray, gain: float) -> np.ndarray:
    return np.clip(pixels_HWC.astype(np.float32) * gain, 0, 255).astype(np.uint8)


def _saved(image: Image.Image, jpeg_quality: int) -> Image.Image:
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=jpeg_quality)
    return Image.open(packed).convert("RGB")


def _row(name: str, values: Iterable[float]) -> None:
    low, few, middle, most, high = np.percentile(np.array(list(values)), [0, 5, 50, 95, 100])
    print(f"{name:<42} min {low:8.3f}  5 % {few:8.3f}  median {middle:8.3f}  95 % {most:8.3f}  max {high:8.3f}")


if __name__ == "__main__":
    main()
