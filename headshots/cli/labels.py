"""Defines the options `--label` and `--external-id` of commands that make or list resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headshots.client import Labelling

Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="A label of your own, to find it by; may be repeated."),
]
ExternalId = Annotated[str, typer.Option("--external-id", metavar="ID", help="Your own id of it; need not be unique.")]
OnlyLabels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="Only those with this label; may be repeated: with all."),
]
OnlyExternalId = Annotated[str, typer.Option("--external-id", metavar="ID", help="Only those with this id of yours.")]


def labels_of(given: list[str] | None) -> dict[str, str]:
    """The labels that were given.

    Raises:
        typer.BadParameter: one has no `=`, or a key comes twice.
    """
    labels: dict[str, str] = {}
    for each in given or ():
        key, separator, value = each.partition("=")
        if not separator:
            raise typer.BadParameter(f"{each!r} is no KEY=VALUE", param_hint="--label")
        if key in labels:
            raise typer.BadParameter(f"{key!r} is given twice", param_hint="--label")
        labels[key] = value
    return labels


def labelling(given: list[str] | None, external_id: str) -> Labelling:
    """What a resource gets, or a list is filtered by. Raises as `labels_of`."""
    from headshots.client import Labelling

    return Labelling(labels_of(given), external_id)
