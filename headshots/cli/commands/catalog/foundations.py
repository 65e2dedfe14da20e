"""Defines `headshots foundations`, which shows what an installation paints with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Foundation

app = typer.Typer(
    help="The foundations that an installation paints with: list, show. (`foundation` makes one usable on this "
    "machine.)",
    no_args_is_help=True,
)
_SHOWN_DIGITS = 12


@app.command("list")
@reported
def list_all(
    address: Address = DEFAULT_ADDRESS, api_key: ApiKey = None, tls_ca: TlsCa = None, as_json: Json = False
) -> None:
    """List foundations. New trainings take the default one unless they name another."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        foundations = list(client.list_foundations())
    if as_json:
        print_json(foundations)
        return
    rows = [
        (each.digest[:_SHOWN_DIGITS], each.display_name, "yes" if each.is_default else "", _served(each), _size(each))
        for each in foundations
    ]
    print_table(("FOUNDATION", "NAME", "DEFAULT", "SERVED", "SIZE"), rows)


@app.command()
@reported
def show(
    foundation: Annotated[
        str, typer.Argument(metavar="FOUNDATION", help="Its name or digest, or how the digest begins.")
    ],
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show what a foundation can paint, and whether it is served now."""
    from headshots.cli.foundations import found
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _print(found(client, foundation), as_json)


def _served(foundation: Foundation) -> str:
    count = foundation.ready_generators
    return "not now" if not count else f"by {count}"


def _heads(foundation: Foundation) -> str:
    if foundation.head_height is None:
        return "not told"
    eyes = "" if foundation.eye_line is None else f", the eyes {foundation.eye_line:g} from above"
    return f"{foundation.head_height:g} of the height{eyes}"


def _size(foundation: Foundation) -> str:
    return f"{foundation.native_width_px}x{foundation.native_height_px}"


def _print(foundation: Foundation, as_json: bool) -> None:
    from headshots.cli.foundations import guidance_text
    from headshots.console.output import counted, print_fields, print_json

    if as_json:
        print_json(foundation)
        return
    ready = foundation.ready_generators
    widths = f"{foundation.min_width_px} to {foundation.max_width_px}"
    heights = f"{foundation.min_height_px} to {foundation.max_height_px}"
    print_fields(
        {
            "foundation": foundation.name,
            "name": foundation.display_name,
            "default": "yes" if foundation.is_default else "no",
            "served": f"by {counted(ready, 'generator')}" if ready else "not now: work waits until a generator is up",
            "size": f"{_size(foundation)} px; widths {widths}, heights {heights}, each {foundation.size_multiple_px}",
            "steps": f"{foundation.steps} ({foundation.sampler or 'another sampler'})",
            "guidance": guidance_text(foundation.guidance_scale, foundation.guidance_interval),
            "heads": _heads(foundation),
            "rank": f"up to {foundation.max_rank}",
            "people": ", ".join(foundation.class_nouns),
            "prompt": f"{foundation.prompt_template} ({foundation.window_tokens} tokens)",
            "words": " ".join(foundation.vocabulary) or "any",
        }
    )
