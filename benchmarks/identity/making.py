"""Makes what is compared: engine packages, trainings and galleries of two foundations, through the command line.

The bundled foundation's training is judged by an analyzer and shared between two processes. The tiny SDXL's has class
images, and no analyzer. The checkout draws the photos; this script's own checkout makes the tiny SDXL, so measure two
revisions with one version of this script.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.identity.checkout import Checkout, serving
from benchmarks.identity.digests import Items, digest, folder_digest, gallery_items, package_items, store_items

_PERSON, _PHOTOS = 7, 8
_SUIT, _JACKET = ("--style", "studio-navy-suit"), ("--style", "park-denim-jacket")
_SDXL_RECIPE = "training: {steps: 8, rank: 4, batch_rows: 2, prior_rows: 1, prior_images: 4}\n"


@dataclass(frozen=True)
class Gallery:
    """One gallery.

    Attributes:
        name: of its items.
        arguments: of ``headshots generate``.
        is_remix: whether it paints over the first image of the first gallery.
    """

    name: str
    arguments: tuple[str, ...]
    is_remix: bool = False


@dataclass(frozen=True)
class Plan:
    """What is made of one foundation.

    Attributes:
        name: of its items.
        foundation: arguments that name it; none: the checkout's bundled one.
        precisions: of the packages that are exported; the first of them paints.
        training: arguments of ``headshots train``.
        galleries: in their order.
    """

    name: str
    foundation: tuple[str, ...]
    precisions: tuple[str, ...]
    training: tuple[str, ...]
    galleries: tuple[Gallery, ...]


_FIRST = Gallery("gallery", (*_SUIT, *_JACKET, "--shots", "2", "--seed", "11"))
_REMIX = Gallery("remix", (*_JACKET, "--shots", "2", "--seed", "21", "--repaint", "0.6"), is_remix=True)
_JPEG = Gallery("jpeg", (*_SUIT, "--shots", "1", "--seed", "31", "--format", "jpeg", "--quality", "80"))
# A training of fewer than 100 steps would have one process.
_BUNDLED = Plan("bundled", (), ("fp32", "fp16"), ("--steps", "100", "--seed", "7"), (_FIRST, _REMIX, _JPEG))


def measure(checkout: Checkout, work: Path) -> Items:
    """Make everything in the empty folder ``work``.

    Raises:
        subprocess.CalledProcessError: a command failed.
    """
    environment = checkout.environment(work / "unused")
    checkout.check_imports(environment)
    photos, sdxl = work / "photos", work / "tiny-sdxl"
    drawing = ["selfies", "--person", str(_PERSON), "--count", str(_PHOTOS), "--out", str(photos)]
    checkout.python("-m", "foundry.portraits", *drawing, environment=environment)
    _make_tiny_sdxl(sdxl)
    items = {f"photos/{file.name}": digest(file.read_bytes()) for file in sorted(photos.iterdir())}
    items["tiny-sdxl/foundation"] = folder_digest(sdxl)
    tiny = Plan("tiny-sdxl", ("--foundation", str(sdxl)), ("fp32",), ("--seed", "7"), (_FIRST, _REMIX))
    for plan in (_BUNDLED, tiny):
        made = _carry_out(plan, checkout, work / f"{plan.name}-made", photos)
        items |= {f"{plan.name}/{name}": value for name, value in made.items()}
    return items


def _make_tiny_sdxl(folder: Path) -> None:
    # torch and transformers take seconds to import, and comparing needs neither.
    from tests.support.foundations.tiny import make_tiny_sdxl

    # stdout is for the result.
    with contextlib.redirect_stdout(sys.stderr):
        make_tiny_sdxl(folder)
    with (folder / "headshots.yaml").open("a", encoding="utf-8") as file:
        file.write(_SDXL_RECIPE)


def _carry_out(plan: Plan, checkout: Checkout, work: Path, photos: Path) -> Items:
    home, items = work / "home", Items()
    for precision in plan.precisions:
        package = work / f"engine-{precision}"
        command = ["export", *plan.foundation, "--precision", precision, "--out", str(package)]
        checkout.headshots(*command, environment=checkout.environment(home))
        items |= {f"engine-{precision}/{name}": value for name, value in package_items(package).items()}
    with serving(checkout, home, work / f"engine-{plan.precisions[0]}", *plan.foundation) as environment:
        # A tree of before consents knows no such option.
        has_consents = (checkout.root / "headshots" / "cli" / "consents.py").exists()
        agreed = ["--consent", "The sample person never existed."] if has_consents else []
        subject = checkout.headshots("subjects", "create", "Identity", *agreed, environment=environment)["name"]
        command = ["train", subject, "--photos", str(photos), *plan.training]
        training = checkout.headshots(*command, environment=environment)
        items |= _paint(plan, checkout, work, subject, environment)
    ids = {_id_of(subject): "SUBJECT", _id_of(training["name"]): "TRAINING"}
    items |= {f"store/{name}": value for name, value in store_items(home / "objects", ids).items()}
    return {**items, "adapter sha256": training["adapter"]["sha256"]}


def _paint(plan: Plan, checkout: Checkout, work: Path, subject: str, environment: Mapping[str, str]) -> Items:
    items, source = Items(), ""
    for gallery in plan.galleries:
        command = ["generate", subject, *gallery.arguments, "--out", str(work / gallery.name)]
        command += ["--remix", source] if gallery.is_remix else []
        answer = checkout.headshots(*command, environment=environment)
        items |= {f"{gallery.name}/{name}": value for name, value in gallery_items(answer).items()}
        source = source or min(image["name"] for image in answer["gallery"]["images"])
    return items


def _id_of(name: str) -> str:
    return name.rpartition("/")[2]
