"""Defines the options `--label` and `--external-id` of commands that make, list or change resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from headshots.client import Image, Labelling, Photo, Subject

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
NewLabels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="In place of all labels; may be repeated. Without: they stay."),
]
NoLabels = Annotated[bool, typer.Option("--no-labels", metavar="", help="Take all labels away.")]
NewExternalId = Annotated[
    str | None, typer.Option("--external-id", metavar="ID", help="Your own id of it; empty takes it away.")
]


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


def changes(given: list[str] | None, no_labels: bool, external_id: str | None) -> dict[str, Any]:
    """What a command that labels changes, as the SDK takes it.

    Raises:
        typer.BadParameter: labels are given and taken away at once; or as `labels_of`.
    """
    if given and no_labels:
        raise typer.BadParameter(
            "leave one out: --label gives labels in place of all", param_hint="--label / --no-labels"
        )
    return {"labels": labels_of(given) if given or no_labels else None, "external_id": external_id}


def labels_shown(labelled: Subject | Photo | Image) -> dict[str, object]:
    """For a table of fields."""
    labels = " ".join(f"{key}={value}" for key, value in sorted(labelled.labels.items()))
    return {"labels": labels, "external id": labelled.external_id}


def print_labelled(changed: Subject | Photo | Image, as_json: bool) -> None:
    """What a command that labels has changed."""
    from headshots.console.output import print_fields, print_json

    if as_json:
        print_json(changed)
    else:
        print_fields(labels_shown(changed))
