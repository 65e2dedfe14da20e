"""Defines `headshots images`, which lists, labels, fetches and paints again the images of a gallery."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli import shoot_options as options
from headshots.cli.commands.galleries import GalleryName, OutFolder, follow, print_files
from headshots.cli.labels import (
    NewExternalId,
    NewLabels,
    NoLabels,
    OnlyExternalId,
    OnlyLabels,
    changes,
    labelling,
    print_labelled,
)
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.cli.shoot_options import separate
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Acceptance

app = typer.Typer(help="Images of a gallery: list them with their verdicts, fetch the best.", no_args_is_help=True)


class Outcome(StrEnum):
    """Outcomes of a verdict by the names that people give them."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_MEASURED = "not-measured"


ImageName = Annotated[str, typer.Argument(metavar="IMAGE", help="subjects/…/galleries/…/images/…")]
Only = Annotated[Outcome | None, typer.Option("--only", help="Only images with this outcome.")]
Styles = Annotated[
    list[str] | None,
    typer.Option("--styles", "--style", metavar="STYLES", help="Only images of these, with commas between."),
]


@app.command("list")
@reported
def list_all(
    gallery: GalleryName,
    only: Only = None,
    styles: Styles = None,
    best: Annotated[
        int, typer.Option("--best", min=0, max=160, help="Only so many, the best, and none that is refused; 0: all.")
    ] = 0,
    label: OnlyLabels = None,
    external_id: OnlyExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List a gallery's images with their verdicts, best first."""
    from headshots.cli.session import connect
    from headshots.client import ImageOrder
    from headshots.client.saving import best_of
    from headshots.console.output import print_json
    from headshots.console.verdicts import print_verdicts

    which: dict[str, Any] = {"acceptance": _acceptance(only), "styles": separate(styles)}
    with connect(address, api_key, tls_ca) as client:
        wanted = labelling(label, external_id)
        found = client.list_images(gallery, order=ImageOrder.RANK, labelling=wanted, **which)
        images = best_of(list(found), best)
    if as_json:
        print_json(images)
    else:
        print_verdicts(images, names=True)


@app.command()
@reported
def download(
    gallery: GalleryName,
    out: options.Out = options.OUT,
    best: options.Best = 0,
    only: Only = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Write a gallery's images into a folder, named by rank: 01-STYLE.png is the best. May be repeated."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json

    with connect(address, api_key, tls_ca) as client:
        files = client.download_images(gallery, out, best=best, acceptance=_acceptance(only))
    if as_json:
        print_json({"gallery": gallery, "files": [str(file) for file in files]})
        return
    for file in files:
        typer.echo(file)


@app.command()
@reported
def regenerate(
    image: ImageName,
    max_tries: Annotated[int, typer.Option(min=0, max=10, help="Seeds tried at most; 0: as its gallery.")] = 0,
    allow_unjudged: options.AllowUnjudged = False,
    out: OutFolder = options.OUT,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Paint another image in place of one that you dislike, which stays until `headshots images delete`."""
    from headshots.cli.session import connect
    from headshots.console.output import note_lines

    with connect(address, api_key, tls_ca) as client:
        gallery = client.regenerate_image(image, max_tries=max_tries, allow_unjudged=allow_unjudged)
        print_files(*follow(client, gallery, out), as_json)
    note_lines(
        f"{gallery.regenerates} keeps its place and its rank until `headshots images delete {gallery.regenerates}`"
    )


@app.command()
@reported
def label(
    image: ImageName,
    label: NewLabels = None,
    no_labels: NoLabels = False,
    external_id: NewExternalId = None,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Change the labels or the external id of an image."""
    from headshots.cli.session import connect

    wanted = changes(label, no_labels, external_id)
    with connect(address, api_key, tls_ca) as client:
        print_labelled(client.update_image(image, **wanted), as_json)


def _acceptance(only: Outcome | None) -> Acceptance | None:
    from headshots.client import Acceptance

    return None if only is None else Acceptance[only.name]
