"""Defines `headshots subjects`, which makes, lists, shows, renames, labels and erases people."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli import consents
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
    labels_shown,
    print_labelled,
)
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, SubjectName, TlsCa
from headshots.cli.shoot_options import Keep, KeepPhotos, moment
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Gallery, Subject, Training

app = typer.Typer(help="People: make, list, show, rename, label and erase them.", no_args_is_help=True)
# Every foundation for portraits knows these; of another word only its training could tell.
USUAL_NOUNS = ("person", "man", "woman")


@app.command()
@reported
def create(
    display_name: Annotated[str, typer.Argument(metavar="NAME", help="For people; at most 128 characters.")] = "",
    class_noun: Annotated[
        str, typer.Option(help="The word the foundation knows such a person by: man, woman, person …")
    ] = "person",
    consent: consents.Statement = None,
    consent_version: consents.Version = "1",
    consent_reference: consents.Reference = "",
    consent_expires: consents.Expiry = None,
    keep: Keep = None,
    keep_photos: KeepPhotos = None,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a subject and print its name."""
    from headshots.cli.session import connect
    from headshots.console.output import note, print_json

    agreed = consents.consent(consent, consent_version, consent_reference, consent_expires)
    with connect(address, api_key, tls_ca) as client:
        subject = client.create_subject(
            display_name,
            class_noun=class_noun,
            consent=agreed,
            retention_seconds=keep or 0,
            photo_retention_seconds=keep_photos,
            labelling=labelling(label, external_id),
        )
    if class_noun not in ("", *USUAL_NOUNS):
        usual = ", ".join(USUAL_NOUNS)
        note(f"{class_noun!r} works only where the foundation knows it as a word for people, as it does {usual}")
    if as_json:
        print_json(subject)
    else:
        typer.echo(subject.name)


@app.command("list")
@reported
def list_all(
    label: OnlyLabels = None,
    external_id: OnlyExternalId = "",
    expire_before: Annotated[
        datetime | None,
        typer.Option(metavar="WHEN", parser=moment, help="Only those that end before: 3d from now, an ISO time."),
    ] = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List subjects, newest first, or with --expire-before those that end soon, the first first."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        subjects = list(client.list_subjects(labelling=labelling(label, external_id), expire_before=expire_before))
    if as_json:
        print_json(subjects)
        return
    rows = [
        (each.name, each.display_name, each.photo_count, "yes" if each.adapter else "no", _time(each, expire_before))
        for each in subjects
    ]
    print_table(("SUBJECT", "NAME", "PHOTOS", "TRAINED", "CREATED" if expire_before is None else "KEPT UNTIL"), rows)


def _time(subject: Subject, expire_before: datetime | None) -> datetime | None:
    return subject.create_time if expire_before is None else subject.expire_time


@app.command()
@reported
def show(
    subject: SubjectName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a subject with its trainings and galleries."""
    from headshots.cli.session import connect
    from headshots.console.output import print_fields, print_json

    with connect(address, api_key, tls_ca) as client:
        found = client.get_subject(subject)
        trainings = list(client.list_trainings(found))
        galleries = list(client.list_galleries(found))
    if as_json:
        print_json({"subject": found, "trainings": trainings, "galleries": galleries})
        return
    fields: dict[str, object] = {
        "subject": found.name,
        "name": found.display_name,
        "class": found.class_noun,
        "created": found.create_time,
        "photos": _photos_shown(found),
        "adapter": found.adapter.sha256 if found.adapter else "none yet",
        "consent": consents.shown(found.consent),
        "commitment": found.erasure_commitment,
        "kept until": f"it is released; held: {found.hold.reason}" if found.hold else found.expire_time,
        **labels_shown(found),
    }
    print_fields(fields)
    if trainings or galleries:
        typer.echo()
        _print_jobs(trainings, galleries)


def _print_jobs(trainings: list[Training], galleries: list[Gallery]) -> None:
    from headshots.console.output import print_table, progress

    jobs = [
        (each.name, each.state, progress(each.step, each.total_steps, "steps"), each.create_time) for each in trainings
    ]
    jobs += [
        (each.name, each.state, progress(each.completed_shots, each.total_shots, "shots"), each.create_time)
        for each in galleries
    ]
    print_table(("JOB", "STATE", "DONE", "CREATED"), jobs)


def _photos_shown(subject: Subject) -> str:
    until = subject.photo_expire_time
    return str(subject.photo_count) + (
        f", those of the last delivery until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    )


@app.command()
@reported
def rename(
    subject: SubjectName,
    display_name: Annotated[str, typer.Argument(metavar="NAME", help="For people; at most 128 characters.")],
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Change what a subject is called."""
    from headshots.cli.session import connect
    from headshots.console.output import note, print_json

    with connect(address, api_key, tls_ca) as client:
        renamed = client.update_subject(subject, display_name=display_name)
    if as_json:
        print_json(renamed)
    else:
        note(f"{renamed.name} is called {renamed.display_name!r}")


@app.command("label")
@reported
def relabel(
    subject: SubjectName,
    label: NewLabels = None,
    no_labels: NoLabels = False,
    external_id: NewExternalId = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Change the labels or the external id of a subject."""
    from headshots.cli.session import connect

    wanted = changes(label, no_labels, external_id)
    with connect(address, api_key, tls_ca) as client:
        print_labelled(client.update_subject(subject, **wanted), as_json)


@app.command()
@reported
def delete(
    subject: SubjectName,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Erase a subject with its photos, adapters and images. There is no way back."""
    from headshots.cli.session import connect
    from headshots.console.erasures import note_erased
    from headshots.console.output import confirm, counted, print_json

    with connect(address, api_key, tls_ca) as client:
        found = client.get_subject(subject)
        if not yes:
            photos = counted(found.photo_count, "photo")
            confirm(f"Erase {found.display_name or found.name} with {photos}, adapters and images?")
        deleted = client.delete_subject(found)
    if as_json:
        print_json({"deleted": found.name, **dataclasses.asdict(deleted)})
    else:
        note_erased(found.name, deleted.deleted_objects, deleted.erasure)
