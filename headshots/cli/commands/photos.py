"""Defines `headshots photos`, which inspects, uploads, labels, lists and erases selfies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.labels import (
    ExternalId,
    Labels,
    NewExternalId,
    NewLabels,
    NoLabels,
    OnlyExternalId,
    OnlyLabels,
    changes,
    labelling,
    print_labelled,
)
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, SubjectName, TlsCa
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.client import PhotosInspection

app = typer.Typer(help="A subject's selfies.", no_args_is_help=True)
PhotoName = Annotated[str, typer.Argument(metavar="PHOTO", help="subjects/…/photos/…, as `photos list` shows.")]


@app.command()
@reported
def upload(
    subject: SubjectName,
    paths: Annotated[list[Path], typer.Argument(help="Image files, and folders of them.")],
    only_usable: Annotated[
        bool, typer.Option("--only-usable", metavar="", help="Inspect first, and leave out what is not usable.")
    ] = False,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Upload photos: all of them, or none where one is refused. Those that are there already are left out."""
    from headshots.cli.session import connect
    from headshots.console.output import note, print_json
    from headshots.console.photo_files import find_photos, upload_new, upload_usable

    found, wanted = find_photos(paths), labelling(label, external_id)
    with connect(address, api_key, tls_ca) as client:
        sent = (upload_usable if only_usable else upload_new)(client, subject, found, wanted)
    if as_json:
        print_json(sent.uploaded)
    else:
        note(str(sent))


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
    from headshots.cli.session import connect
    from headshots.console.output import print_json
    from headshots.console.photo_files import find_photos

    if not paths and subject is None:
        raise typer.BadParameter("name photos, or a subject with --subject")
    found = find_photos(paths or ())
    with connect(address, api_key, tls_ca) as client:
        inspection = client.inspect_photos(subject, found)
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
    label: OnlyLabels = None,
    external_id: OnlyExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List a subject's photos, in upload order."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        photos = list(client.list_photos(subject, labelling=labelling(label, external_id)))
    if as_json:
        print_json(photos)
        return
    rows = [(each.filename, f"{each.width_px}x{each.height_px}", each.size_bytes, each.name) for each in photos]
    print_table(("FILE", "PIXELS", "BYTES", "PHOTO"), rows)


@app.command()
@reported
def label(
    photo: PhotoName,
    label: NewLabels = None,
    no_labels: NoLabels = False,
    external_id: NewExternalId = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Change the labels or the external id of a photo."""
    from headshots.cli.session import connect

    wanted = changes(label, no_labels, external_id)
    with connect(address, api_key, tls_ca) as client:
        print_labelled(client.update_photo(photo, **wanted), as_json)


@app.command()
@reported
def delete(
    photo: PhotoName,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Erase one photo; adapters that have learned from it stay. There is no way back."""
    from headshots.cli.session import connect
    from headshots.console.output import confirm, note, print_json

    with connect(address, api_key, tls_ca) as client:
        if not yes:
            confirm(f"Erase {photo}?")
        client.delete_photo(photo)
    if as_json:
        print_json({"deleted": photo})
    else:
        note(f"{photo} is erased")


def print_inspection(inspection: PhotosInspection) -> None:
    """A line for each photo, then the verdict."""
    from headshots.console.output import counted, print_table, say
    from headshots.console.photo_files import report_face_analyzer, report_reviews, told

    rows: list[tuple[object, ...]] = []
    for number, photo in enumerate(inspection.photos):
        size = f"{photo.width_px}x{photo.height_px}" if photo.width_px else "-"
        reasons = ", ".join(finding.reason for finding in photo.findings) or "usable"
        advice = "; ".join(told(finding, inspection) for finding in photo.findings)
        rows.append((number, photo.filename or photo.name or "-", size, reasons, advice))
    print_table(("", "FILE", "PIXELS", "VERDICT", "WHAT TO DO"), rows)
    report_face_analyzer(inspection)
    report_reviews(inspection)
    for finding in inspection.findings:
        say(f"{finding.reason}: {finding.message}")
    verdict = "ready to train" if inspection.ready_to_train else "not ready to train"
    verb = "is" if inspection.usable_count == 1 else "are"
    say(f"{inspection.usable_count} of {counted(len(inspection.photos), 'photo')} {verb} usable: {verdict}")
