"""Asks the gateway for what a page shows beside the images, and writes the page beside their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from headshots.client import Gallery, Headshots, Image, ImageOrder, Shoot, Training
from headshots.console.output import counted
from headshots.console.shoots import turnaround_line
from headshots.pages import collecting
from headshots.pages.models import Page
from headshots.pages.writing import check_replaceable, write_page

SHOOT_PAGE, GALLERY_PAGE = "shoot.html", "gallery.html"


def write_shoot_page(
    client: Headshots, shoot: Shoot, images: Sequence[Image], files: Mapping[str, Path], folder: Path
) -> Path:
    """Write the page of a shoot that has ended into the folder that has its files.

    Args:
        client: asked for the person's name, the styles' titles, the training and the gallery.
        shoot: as it ended.
        images: all of it, best first, with their ranks.
        files: by the images' names; those without one are not on the page, and it says how many.
        folder: where the files are.

    Raises:
        AlreadyExistsError: PAGE_IN_THE_WAY.
    """
    person, titles = _person(client, shoot.name), _titles(client)
    everything = [collecting.portrait(image, _file(files, image), person, titles) for image in images]
    shown = [each for each in everything if each.picture.file]
    training, gallery = client.get_training(shoot.training), client.get_gallery(shoot.gallery)
    took = turnaround_line(shoot)
    page = Page(
        title=person or "Portraits",
        lead=collecting.lead(len(images), len(shoot.styles), _judged(shoot.profile, shoot.profile_version)),
        facts=collecting.facts(shoot.delivered, shoot.asked, shoot.tries, shoot.guarantee, everything),
        portraits=shown,
        elsewhere=_elsewhere(len(images) - len(shown), shoot.gallery),
        learning=collecting.learning(training),
        timings=collecting.shoot_timings(shoot, training, gallery),
        timing_note=f"The shoot {took}." if took else "",
        figures=collecting.figures(images, gallery),
        footer=f"Made by headshots: {shoot.name}",
    )
    check_replaceable(folder / SHOOT_PAGE)
    return write_page(page, folder / SHOOT_PAGE)


def write_gallery_page(client: Headshots, gallery: Gallery, files: Mapping[str, Path], folder: Path) -> Path:
    """The same of a gallery, whose images are listed anew, as they have ranks at its end.

    Raises:
        AlreadyExistsError: PAGE_IN_THE_WAY.
    """
    person, titles = _person(client, gallery.name), _titles(client)
    images = list(client.list_images(gallery, order=ImageOrder.RANK))
    everything = [collecting.portrait(image, _file(files, image), person, titles) for image in images]
    shown = [each for each in everything if each.picture.file]
    page = Page(
        title=person or "Portraits",
        lead=collecting.lead(len(images), len(gallery.styles), _judged(gallery.profile, gallery.profile_version)),
        facts=collecting.facts(
            gallery.accepted_shots, gallery.total_shots, gallery.tries, gallery.guarantee, everything
        ),
        portraits=shown,
        elsewhere=_elsewhere(len(images) - len(shown), gallery.name),
        learning=collecting.learning(_training_of(client, gallery)),
        timings=collecting.gallery_timings(gallery),
        figures=collecting.figures(images, gallery),
        footer=f"Made by headshots: {gallery.name}",
    )
    check_replaceable(folder / GALLERY_PAGE)
    return write_page(page, folder / GALLERY_PAGE)


def _file(files: Mapping[str, Path], image: Image) -> str:
    """The name of the image's file; empty where it was not saved."""
    return files[image.name].name if image.name in files else ""


def _person(client: Headshots, name: str) -> str:
    """What the person of a resource is called; may be empty."""
    return client.get_subject(_subject(name)).display_name


def _titles(client: Headshots) -> dict[str, str]:
    return {style.name: style.display_name for style in client.list_styles(include_archived=True)}


def _judged(profile: str, version: int) -> str:
    return f"{profile.removeprefix('profiles/')} v{version}" if profile else ""


def _elsewhere(count: int, gallery: str) -> str:
    is_or_are = "is" if count == 1 else "are"
    return f"{counted(count, 'more portrait')} of {gallery} {is_or_are} not saved here." if count else ""


def _training_of(client: Headshots, gallery: Gallery) -> Training | None:
    """The training that made the adapter; None where it is no longer there."""
    for training in client.list_trainings(_subject(gallery.name)):
        if training.adapter is not None and training.adapter.sha256 == gallery.adapter_sha256:
            return training
    return None


def _subject(name: str) -> str:
    """Name of the subject that a resource belongs to."""
    return "/".join(name.split("/")[:2])
