"""Defines `headshots train`, and `headshots trainings` for those that were started."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli import foundations
from headshots.cli.labels import ExternalId, Labels, OnlyExternalId, OnlyLabels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, PriorityName, SubjectName, TlsCa, Urgency
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Headshots, PhotoRef, Training

app = typer.Typer(help="Trainings that were started: list, watch, cancel, download.", no_args_is_help=True)
TrainingName = Annotated[str, typer.Argument(metavar="TRAINING", help="subjects/…/trainings/…")]


class File(StrEnum):
    """The files that a training leaves, by the names that people give them."""

    ADAPTER = "adapter"
    KOHYA = "kohya"
    MANIFEST = "manifest"
    SHEET = "sheet"
    CARD = "card"


Photos = Annotated[list[Path] | None, typer.Option("--photos", help="Folder of selfies, or one file; may be repeated.")]
OnlyUsable = Annotated[
    bool,
    typer.Option(
        "--only-usable",
        metavar="",
        help="Inspect first: upload and learn from usable photos only, refuse a set that is not ready.",
    ),
]


@reported
def train(
    subject: SubjectName,
    photos: Photos = None,
    steps: Annotated[int | None, typer.Option(min=1, max=10000, help="Optimizer steps.")] = None,
    rank: Annotated[int | None, typer.Option(min=1, max=128, help="LoRA rank.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate, at most 0.1.")] = None,
    batch_rows: Annotated[int | None, typer.Option(min=1, max=64, help="Photos a step.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the run.")] = None,
    foundation: foundations.Served = None,
    priority: PriorityName = Urgency.STANDARD,
    only_usable: OnlyUsable = False,
    detach: Annotated[
        bool, typer.Option("--detach", metavar="", help="Print the training's name and do not wait.")
    ] = False,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Teach a subject: upload the photos that are new, train, wait. What is not given is the foundation's own recipe.

    Ctrl-C stops waiting, not the training.
    """
    from headshots.cli.session import connect
    from headshots.client import Priority, TrainingOptions
    from headshots.console.following import follow_training
    from headshots.console.photo_files import find_photos

    options, found = TrainingOptions(steps, rank, learning_rate, batch_rows, seed), find_photos(photos or ())
    how: dict[str, Any] = {"priority": Priority(priority.name), "labelling": labelling(label, external_id)}
    with connect(address, api_key, tls_ca) as client:
        how["foundation"] = foundations.name_of(client, foundation)
        order = partial(client.create_training, subject, options, **how)
        training = order(photos=_upload(client, subject, found, order, only_usable=only_usable))
        if not detach:
            training = follow_training(client, training)
    _print(training, as_json)


def _upload(
    client: Headshots, subject: str, found: list[Path], order: Callable[..., Training], *, only_usable: bool
) -> list[PhotoRef]:
    """Upload the photos that are new; returns which photos to learn from, where an empty list means all.

    What the gateway refuses the order for, it is asked before any photo is sent.
    """
    from headshots.console.output import note
    from headshots.console.person import before_photos
    from headshots.console.photo_files import upload_new, upload_to_train

    if found:
        with before_photos():
            order(validate_only=True)
    chosen: list[PhotoRef] = []
    if only_usable:
        sent, chosen = upload_to_train(client, subject, found)
    else:
        sent = upload_new(client, subject, found)
    if found:
        note(str(sent))
    return chosen


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
    """List a subject's trainings, newest first."""
    from headshots.cli.session import connect
    from headshots.console.jobs.trainings import likeness
    from headshots.console.output import print_json, print_table, progress

    with connect(address, api_key, tls_ca) as client:
        trainings = list(client.list_trainings(subject, labelling=labelling(label, external_id)))
    if as_json:
        print_json(trainings)
        return
    rows = [
        (
            each.name,
            each.state,
            progress(each.step, each.total_steps),
            likeness(each) if each.adapter else "-",
            each.create_time,
        )
        for each in trainings
    ]
    print_table(("TRAINING", "STATE", "STEPS", "LIKENESS", "CREATED"), rows)


@app.command()
@reported
def watch(
    training: TrainingName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Follow a training to its end; the exit code tells how it ended."""
    from headshots.cli.session import connect
    from headshots.console.following import follow_training

    with connect(address, api_key, tls_ca) as client:
        _print(follow_training(client, client.get_training(training)), as_json)


@app.command()
@reported
def download(
    training: TrainingName,
    file: Annotated[
        list[File] | None, typer.Option("--file", help="Which; may be repeated. Without it the adapter alone.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for them; made if missing.")] = Path("."),
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Write a training's files into a folder: the adapter for diffusers or kohya, its manifest, sheet and card."""
    from headshots.cli.session import connect
    from headshots.client import TrainingFile
    from headshots.console.output import print_json

    out.mkdir(parents=True, exist_ok=True)
    written = []
    with connect(address, api_key, tls_ca) as client:
        for each in file or [File.ADAPTER]:
            kind = TrainingFile[each.name]
            path = out / kind.value
            path.write_bytes(client.download_training(training, kind))
            written.append(path)
    if as_json:
        print_json({"training": training, "files": [str(path) for path in written]})
        return
    for path in written:
        typer.echo(path)


@app.command()
@reported
def cancel(
    training: TrainingName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Ask a training to stop."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        asked = client.cancel_training(training)
    # It answers at once; the trainer stops at its next step.
    _print(asked, as_json, state=asked.state if asked.state.terminal else "cancelling")


def _print(training: Training, as_json: bool, *, state: str = "") -> None:
    from headshots.console.jobs.trainings import print_training
    from headshots.console.output import print_json

    if as_json:
        print_json(training)
    else:
        print_training(training, state=state)
