"""`headshots photos`: inspect selfies, upload them and list them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.exits import ExitCode, reported
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, SubjectName, TlsCa

if TYPE_CHECKING:
    from headshots.client import Headshots, Photo, PhotoInspection, PhotosInspection, SubjectRef

app = typer.Typer(help="A subject's selfies.", no_args_is_help=True)

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"})


@app.command()
@reported
def upload(
    subject: SubjectName,
    paths: Annotated[list[Path], typer.Argument(help="Image files, and folders of them.")],
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Upload photos: all of them, or none where one is refused. Those that are there already are left out."""
    from headshots.cli.output import note, print_json
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        uploaded, known = upload_new(client, subject, find_photos(paths))
    if as_json:
        print_json(uploaded)
    else:
        note(told_of_upload(uploaded, known))


@app.command()
@reported
def inspect(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Image files, and folders of them, that are not uploaded.")
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option("--subject", help="Inspect the photos that this subject has, and the others beside them."),
    ] = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Tell what is wrong with photos before a training, one by one and as a set. Nothing is stored.

    Ends with 4 where the usable ones are not enough to train on.
    """
    from headshots.cli.output import print_json
    from headshots.cli.session import connect

    if not paths and subject is None:
        raise typer.BadParameter("name photos, or a subject with --subject")
    with connect(address, api_key, tls_ca) as client:
        inspection = client.inspect_photos(subject, find_photos(paths or ()))
    if as_json:
        print_json(inspection)
    else:
        print_inspection(inspection)
    if not inspection.ready_to_train:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("list")
@reported
def list_all(
    subject: SubjectName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List a subject's photos, in upload order."""
    from headshots.cli.output import print_json, print_table
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        photos = list(client.list_photos(subject))
    if as_json:
        print_json(photos)
        return
    rows = [(each.filename, f"{each.width_px}x{each.height_px}", each.size_bytes, each.sha256[:16]) for each in photos]
    print_table(("FILE", "PIXELS", "BYTES", "SHA-256"), rows)


def print_inspection(inspection: PhotosInspection) -> None:
    """A line for each photo, then the verdict."""
    from headshots.cli.output import note, print_table

    rows: list[tuple[object, ...]] = []
    for number, photo in enumerate(inspection.photos):
        size = f"{photo.width_px}x{photo.height_px}" if photo.width_px else "-"
        reasons = ", ".join(finding.reason for finding in photo.findings) or "usable"
        cure = "; ".join(finding.message for finding in photo.findings)
        rows.append((number, photo.filename or photo.name or "-", size, reasons, cure))
    print_table(("", "FILE", "PIXELS", "VERDICT", "WHAT TO DO"), rows)
    if not inspection.faces_checked:
        note("faces were not looked for: the gateway has no analyzer")
    for finding in inspection.findings:
        typer.echo(f"{finding.reason}: {finding.message}")
    verdict = "ready to train" if inspection.ready_to_train else "not ready to train"
    typer.echo(f"{inspection.usable_count} of {len(inspection.photos)} photos are usable: {verdict}")


def usable_photos(client: Headshots, subject: SubjectRef) -> list[PhotoInspection]:
    """Those of the subject's photos that an inspection finds usable; tells of the others.

    Raises:
        InvalidPhotoError: PHOTOS_NOT_READY: they are not enough to train on.
    """
    from headshots.cli.output import note
    from headshots.errors import InvalidPhotoError

    inspection = client.inspect_photos(subject)
    for photo in inspection.photos:
        for finding in photo.findings:
            note(f"{photo.filename or photo.name} is left out: {finding.reason}, {finding.message}")
    if not inspection.ready_to_train:
        message = "; ".join(finding.message for finding in inspection.findings)
        raise InvalidPhotoError("PHOTOS_NOT_READY", message)
    return [photo for photo in inspection.photos if photo.usable]


def find_photos(paths: Iterable[Path]) -> list[Path]:
    """The files, and the image files in the folders, by name.

    Raises:
        InvalidPhotoError: PHOTO_MISSING: a path that is not there, or a folder without an image file.
    """
    from headshots.errors import InvalidPhotoError

    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InvalidPhotoError("PHOTO_MISSING", f"there is no {path}")
        inside = sorted(each for each in path.iterdir() if is_image(each)) if path.is_dir() else [path]
        if not inside:
            kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
            raise InvalidPhotoError("PHOTO_MISSING", f"the folder {path} holds no image file ({kinds})")
        found += inside
    return found


def is_image(path: Path) -> bool:
    """Whether the name is that of an image file and not hidden."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def told_of_upload(uploaded: list[Photo], known: int) -> str:
    """What `upload_new` did, for people."""
    return f"{len(uploaded)} photos uploaded" + (f", {known} were there already" if known else "")


def upload_new(client: Headshots, subject: SubjectRef, paths: Iterable[Path]) -> tuple[list[Photo], int]:
    """Upload those that the subject does not have yet, so that a command may be repeated.

    Returns:
        The photos uploaded, and how many were left out because they were there.
    """
    known = {photo.sha256 for photo in client.list_photos(subject)}
    paths = list(paths)
    fresh = [path for path in paths if hashlib.sha256(path.read_bytes()).hexdigest() not in known]
    return (client.upload_photos(subject, fresh) if fresh else []), len(paths) - len(fresh)
