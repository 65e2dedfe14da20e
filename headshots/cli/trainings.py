"""`headshots train`, and `headshots trainings` for those that run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.exits import reported
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, SubjectName, TlsCa

if TYPE_CHECKING:
    from headshots.client import Headshots, Training

app = typer.Typer(help="Trainings that were started: list, watch, cancel.", no_args_is_help=True)
TrainingName = Annotated[str, typer.Argument(metavar="TRAINING", help="subjects/…/trainings/…")]


@reported
def train(
    subject: SubjectName,
    photos: Annotated[
        list[Path] | None, typer.Option("--photos", help="Folder of selfies, or one file; may be repeated.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, max=10000, help="Optimizer steps.")] = None,
    rank: Annotated[int | None, typer.Option(min=1, max=128, help="LoRA rank.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate, at most 0.1.")] = None,
    batch_rows: Annotated[int | None, typer.Option(min=1, max=64, help="Photos a step.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the run.")] = None,
    only_usable: Annotated[
        bool,
        typer.Option(
            "--only-usable", help="Inspect first: learn from usable photos only, refuse a set that is not ready."
        ),
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Print the training's name and do not wait.")] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Teach a subject: upload the photos that are new, train, wait. What is not given is the foundation's own recipe.

    Ctrl-C stops waiting, not the training.
    """
    from headshots.cli.output import note
    from headshots.cli.photos import find_photos, told_of_upload, upload_new, usable_photos
    from headshots.cli.session import connect
    from headshots.client import TrainingOptions

    options = TrainingOptions(steps, rank, learning_rate, batch_rows, seed)
    with connect(address, api_key, tls_ca) as client:
        if photos:
            note(told_of_upload(*upload_new(client, subject, find_photos(photos))))
        chosen = usable_photos(client, subject) if only_usable else []
        training = client.create_training(subject, options, photos=chosen)
        if not detach:
            training = follow(client, training)
    _print(training, as_json)


@app.command("list")
@reported
def list_all(
    subject: SubjectName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List a subject's trainings, newest first."""
    from headshots.cli.output import print_json, print_table
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        trainings = list(client.list_trainings(subject))
    if as_json:
        print_json(trainings)
        return
    rows = [(each.name, each.state, f"{each.step}/{each.total_steps}", each.create_time) for each in trainings]
    print_table(("TRAINING", "STATE", "STEPS", "CREATED"), rows)


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

    with connect(address, api_key, tls_ca) as client:
        _print(follow(client, client.get_training(training)), as_json)


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
        _print(client.cancel_training(training), as_json)


def follow(client: Headshots, training: Training) -> Training:
    """Show a bar until the training has ended, and return it.

    Raises:
        JobFailedError: it failed.
        CancelledByCallerError: it was cancelled.
        KeyboardInterrupt: with how to go on watching.
    """
    from headshots.cli.output import progress_bars

    now = training
    try:
        with progress_bars() as bars:
            bar = bars.add_task("training", total=None, count="", detail="")
            for now in client.watch_training(training):
                count = f"{now.step}/{now.total_steps}"
                total = now.total_steps or None
                bars.update(bar, total=total, completed=now.step, count=count, detail=training_detail(now))
    except KeyboardInterrupt as error:
        name = training.name
        raise KeyboardInterrupt(
            f"the training goes on: headshots trainings watch {name}, or end it: headshots trainings cancel {name}"
        ) from error
    now.raise_for_state()
    return now


def training_detail(training: Training) -> str:
    """What a bar says beside the steps."""
    if training.status_message:
        return training.status_message
    if training.queue_place:
        return f"waiting, {training.queue_place} ahead"
    parts = [f"loss {training.loss:.4f}"] if training.step else ["preparing"]
    if training.eta_seconds is not None:
        parts.append(f"{training.eta_seconds:.0f} s left")
    if training.attempt > 1:
        parts.append(f"attempt {training.attempt}")
    return ", ".join(parts)


def _print(training: Training, as_json: bool) -> None:
    from headshots.cli.output import print_fields, print_json

    if as_json:
        print_json(training)
        return
    likeness = "not measured" if training.likeness is None else f"{training.likeness:.3f}"
    fields: dict[str, object] = {
        "training": training.name,
        "state": training.state,
        "steps": f"{training.step}/{training.total_steps}" if training.total_steps else "",
        "photos": training.photo_count,
        "loss": f"{training.loss:.4f}" if training.step else "",
        "adapter": training.adapter.sha256 if training.adapter else "",
        "likeness": likeness if training.adapter else "",
        "chosen": training.scores.reason if training.scores else "",
    }
    print_fields(fields)
