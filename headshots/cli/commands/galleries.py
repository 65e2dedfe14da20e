"""Defines `headshots generate`, and `headshots galleries` for those that exist."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli import shoot_options as options
from headshots.cli.commands.pictures.pages import check_gallery_page, gallery_page
from headshots.cli.labels import ExternalId, Labels, OnlyExternalId, OnlyLabels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, PriorityName, SubjectName, TlsCa, Urgency
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Gallery, Headshots, Image

app = typer.Typer(help="Galleries that were started: list, fetch, cancel, erase.", no_args_is_help=True)
GalleryName = Annotated[str, typer.Argument(metavar="GALLERY", help="subjects/…/galleries/…")]
Source = Annotated[
    str | None,
    typer.Option(metavar="IMAGE", help="Paint over subjects/…/galleries/…/images/…, one of the same subject."),
]
Repaint = Annotated[
    float, typer.Option(min=0.01, max=1.0, help="With --remix: how much of it; 0.3 leaves most as it is.")
]
OlderTraining = Annotated[
    str | None,
    typer.Option(metavar="TRAINING", help="Paint with the adapter of subjects/…/trainings/…, not the newest."),
]
Detach = Annotated[bool, typer.Option("--detach", metavar="", help="Print the gallery's name and do not wait.")]
OutFolder = Annotated[Path, typer.Option("--out", file_okay=False, help="Folder for the images; made if missing.")]


@reported
def generate(
    subject: SubjectName,
    style: Annotated[list[str], typer.Option("--style", help="A style of `headshots styles list`; may be repeated.")],
    out: OutFolder = Path("gallery"),
    shots: Annotated[int, typer.Option(min=1, max=64, help="Shots of each style.")] = 4,
    seed: options.Seed = 0,
    style_seeds: options.StyleSeeds = options.Seeds.VARIED,
    format: options.FileFormat = options.Format.PNG,
    quality: options.Quality = 0,
    remix: Source = None,
    repaint: Repaint = 0.8,
    training: OlderTraining = None,
    profile: options.ProfileName = "",
    max_tries: options.MaxTries = 0,
    allow_unjudged: options.AllowUnjudged = False,
    priority: PriorityName = Urgency.STANDARD,
    detach: Detach = False,
    label: Labels = None,
    external_id: ExternalId = "",
    html: options.Html = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Paint a gallery of a trained subject: STYLE-SEED.png and so on. Ctrl-C stops waiting, not the gallery."""
    from headshots.cli.session import connect

    how: dict[str, Any] = {"shots_per_style": shots, "seed": seed, "training": training, "profile": profile}
    how |= {"max_tries": max_tries, "allow_unjudged": allow_unjudged, "labelling": labelling(label, external_id)}
    how |= options.gallery_painting(style_seeds, (format, quality, priority), (remix, repaint))
    check_gallery_page(out, html)
    with connect(address, api_key, tls_ca) as client:
        _finish(client, client.create_gallery(subject, style, **how), out, as_json, html, detach=detach)


def _finish(client: Headshots, gallery: Gallery, out: Path, as_json: bool, html: bool, *, detach: bool = False) -> None:
    from headshots.console.jobs.galleries import print_ordered

    if detach:
        print_ordered(gallery, out, as_json=as_json)
        return
    ended, files = follow(client, gallery, out)
    print_files(ended, files, as_json, gallery_page(client, ended, files, out) if html else None)


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
    """List a subject's galleries, newest first."""
    from headshots.cli.session import connect
    from headshots.console.jobs.galleries import print_galleries
    from headshots.console.output import print_json

    with connect(address, api_key, tls_ca) as client:
        galleries = list(client.list_galleries(subject, labelling=labelling(label, external_id)))
    if as_json:
        print_json(galleries)
    else:
        print_galleries(galleries)


@app.command()
@reported
def fetch(
    gallery: GalleryName,
    out: OutFolder = Path("gallery"),
    html: options.Html = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Write a gallery's images into a folder, waiting for those that are still to come."""
    from headshots.cli.session import connect

    check_gallery_page(out, html)
    with connect(address, api_key, tls_ca) as client:
        _finish(client, client.get_gallery(gallery), out, as_json, html)


@app.command()
@reported
def cancel(
    gallery: GalleryName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Ask a gallery to stop; shots that have not started never will."""
    from headshots.cli.session import connect
    from headshots.console.output import print_fields, print_json

    with connect(address, api_key, tls_ca) as client:
        asked = client.cancel_gallery(gallery)
    if as_json:
        print_json(asked)
    else:
        # It answers at once; shots that are being painted stop at their next step.
        print_fields({"gallery": asked.name, "state": asked.state if asked.state.terminal else "cancelling"})


@app.command()
@reported
def delete(
    name: Annotated[
        str, typer.Argument(metavar="GALLERY|IMAGE", help="subjects/…/galleries/…, or …/images/… for one image.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Erase a gallery that has ended with its images, or one image. There is no way back."""
    from headshots.cli.session import connect
    from headshots.console.output import confirm, note, print_json

    with connect(address, api_key, tls_ca) as client:
        is_image = "/images/" in name
        if not yes:
            confirm(f"Erase {name}?" if is_image else f"Erase {name} with its images?")
        if is_image:
            client.delete_image(name)
        else:
            client.delete_gallery(name)
    if as_json:
        print_json({"deleted": name})
    else:
        note(f"{name} is erased")


def follow(client: Headshots, gallery: Gallery, out: Path) -> tuple[Gallery, list[Path]]:
    """Show a bar and write images as they come; returns the gallery as it ended, with its images, and their files.

    Raises:
        JobFailedError: it failed; the images that exist have been written.
        UnavailableError, KeyboardInterrupt: with how to go on.
    """
    from headshots.client import Gallery, PaintedImage
    from headshots.client.saving import save_image
    from headshots.console.following import Delays, saying_how_to_go_on
    from headshots.console.output import progress_bars
    from headshots.console.verdicts import note_renamed

    out.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    images: list[Image] = []
    delays = Delays()
    with saying_how_to_go_on("gallery", gallery.name, "fetch"), progress_bars() as bars:
        bar = bars.add_task("painting", total=gallery.total_shots, count="", detail="")
        for event in client.watch_gallery(gallery, include_content=True):
            if isinstance(event, PaintedImage):
                files.append(save_image(event, out, _stem(event.image)))
                images.append(event.image)
            elif isinstance(event, Gallery):
                gallery = event
                delays.report(gallery.status_message)
            count = f"{len(files)}/{gallery.total_shots}"
            detail = "held up" if gallery.status_message else ""
            bars.update(bar, completed=len(files), count=count, detail=detail)
    note_renamed(files, [_stem(image) for image in images])
    gallery.raise_for_state()
    return dataclasses.replace(gallery, images=tuple(images)), files


def _stem(image: Image) -> str:
    return f"{image.style.removeprefix('styles/')}-{image.seed}"


def print_files(gallery: Gallery, files: list[Path], as_json: bool, page: Path | None = None) -> None:
    """The paths on stdout, the page's last; the verdicts and how to go on on stderr. Or the gallery with the paths."""
    from headshots.console.output import note, print_json
    from headshots.console.verdicts import print_file_verdicts

    if as_json:
        written = {"files": [str(path) for path in files], **({"page": str(page)} if page else {})}
        print_json({"gallery": gallery, **written})
        return
    for path in [*files, *([page] if page else [])]:
        typer.echo(path)
    print_file_verdicts(gallery.images, files)
    if gallery.images:
        note(f"next: `headshots images list {gallery.name}` names the images, as `headshots remix` takes them")
