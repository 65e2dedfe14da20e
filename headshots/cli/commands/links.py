"""Defines `headshots images links`."""

from __future__ import annotations

from typing import Annotated

import typer

from headshots.cli.commands.galleries import GalleryName
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.console.exits import reported


@reported
def links(
    gallery: GalleryName,
    image: Annotated[
        list[int] | None, typer.Option("--image", min=0, help="Number of an image; may be repeated. Default: all.")
    ] = None,
    valid_seconds: Annotated[int, typer.Option(min=1, max=604800, help="How long the links can be opened.")] = 3600,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Print links to a gallery's images, a line each, for people without a key.

    Whoever has a link can open it until it expires.
    """
    from headshots.cli.session import connect
    from headshots.console.output import print_json

    with connect(address, api_key, tls_ca) as client:
        names = None if image is None else [f"{gallery}/images/{number}" for number in image]
        made = client.image_links(gallery, names, valid_seconds=valid_seconds)
    if as_json:
        print_json(made)
        return
    for link in made:
        typer.echo(link.url)
