"""Defines `headshots remix`, which changes one thing of an image that you like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli import shoot_options as options
from headshots.cli.commands.galleries import OutFolder, follow, print_files
from headshots.cli.labels import ExternalId, Labels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import RemixChange

_TO = "in words, or as styles/STYLE has it."


@reported
def remix(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="subjects/…/galleries/…/images/…; a remix will do.")],
    backdrop: Annotated[str, typer.Option(help=f"Another backdrop, {_TO} Face, hair and clothes stay.")] = "",
    outfit: Annotated[str, typer.Option(help=f"Other clothes, {_TO} Face, hair and backdrop stay.")] = "",
    light: Annotated[str, typer.Option(help=f"Other light, {_TO} All is painted over lightly; the person stays.")] = "",
    repaint: Annotated[
        float | None, typer.Option(min=0.01, max=1.0, help="How much is painted over; default what suits the change.")
    ] = None,
    shots: Annotated[int, typer.Option(min=1, max=64, help="Images to choose from.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the first.")] = 0,
    format: options.FileFormat = options.Format.PNG,
    max_tries: Annotated[int, typer.Option(min=0, max=10, help="Seeds tried for each at most; 0: 4.")] = 0,
    out: OutFolder = options.OUT,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Change one thing of an image: its backdrop, its outfit or its light. The image itself stays as it is."""
    from headshots.cli.session import connect
    from headshots.client import ImageFormat

    change, to = _change(backdrop, outfit, light)
    with connect(address, api_key, tls_ca) as client:
        gallery = client.remix_image(
            image,
            change,
            to,
            repaint=repaint,
            shots=shots,
            seed=seed,
            format=ImageFormat(format.name),
            max_tries=max_tries,
            labelling=labelling(label, external_id),
        )
        print_files(*follow(client, gallery, out), as_json)


def _change(backdrop: str, outfit: str, light: str) -> tuple[RemixChange, str]:
    """The one that is asked for."""
    from headshots.client import RemixChange

    asked = {RemixChange.BACKDROP: backdrop, RemixChange.OUTFIT: outfit, RemixChange.LIGHT: light}
    given = [(change, to) for change, to in asked.items() if to]
    if len(given) != 1:
        raise typer.BadParameter("give one of --backdrop, --outfit and --light; a remix of the remix changes the next")
    return given[0]
