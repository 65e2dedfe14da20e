"""Defines `headshots styles`, which makes, changes, archives, previews, lists and shows prompt recipes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli.commands.catalog import style_options as options
from headshots.cli.commands.catalog.changing import check_changes, say_checked
from headshots.cli.labels import ExternalId, Labels, OnlyExternalId, OnlyLabels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, TlsCa, Version
from headshots.console.exits import reported

if TYPE_CHECKING:
    from headshots.client import Style

app = typer.Typer(help="Prompt recipes: make your own, see what they become.", no_args_is_help=True)


@app.command()
@reported
def create(
    style: Annotated[str, typer.Argument(metavar="STYLE", help="Its name: 1 to 64 of a-z, 0-9 and -.")],
    outfit: options.Outfit = None,
    backdrop: options.Backdrop = None,
    lighting: options.Lighting = None,
    framing: options.Framing = None,
    expression: options.Expression = None,
    prompt: options.Prompt = None,
    negative_prompt: options.Negative = None,
    guidance: options.Guidance = None,
    guidance_interval: options.Interval = None,
    steps: options.Steps = None,
    width: options.Width = None,
    height: options.Height = None,
    name: options.DisplayName = None,
    description: options.Description = None,
    validate_only: options.ValidateOnly = False,
    label: Labels = None,
    external_id: ExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a style of your own, usable at once."""
    from headshots.cli.session import connect
    from headshots.client import StyleRecipe

    words = (outfit, backdrop, lighting, framing, expression, prompt, negative_prompt)
    recipe = StyleRecipe(**_told(*words, guidance, steps, width, height, guidance_interval))
    texts = {"display_name": name or "", "description": description or ""}
    with connect(address, api_key, tls_ca) as client:
        told = labelling(label, external_id)
        made = client.create_style(style, recipe, **texts, labelling=told, validate_only=validate_only)
    if validate_only:
        say_checked(as_json=as_json, is_new=True)
    _print(made, as_json)


@app.command()
@reported
def update(
    style: options.StyleName,
    outfit: options.Outfit = None,
    backdrop: options.Backdrop = None,
    lighting: options.Lighting = None,
    framing: options.Framing = None,
    expression: options.Expression = None,
    prompt: options.Prompt = None,
    negative_prompt: options.Negative = None,
    guidance: options.Guidance = None,
    guidance_interval: options.Interval = None,
    steps: options.Steps = None,
    width: options.Width = None,
    height: options.Height = None,
    name: options.DisplayName = None,
    description: options.Description = None,
    validate_only: options.ValidateOnly = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Make a new version of a style of your own: what is given changes, the rest stays. Galleries keep theirs."""
    from headshots.cli.session import connect

    words = (outfit, backdrop, lighting, framing, expression, prompt, negative_prompt)
    told = _told(*words, guidance, steps, width, height, guidance_interval)
    check_changes()
    with connect(address, api_key, tls_ca) as client:
        recipe = dataclasses.replace(client.get_style(style).recipe, **told) if told else None
        texts = {"display_name": name, "description": description}
        changed = client.update_style(style, recipe=recipe, **texts, validate_only=validate_only)
    if validate_only:
        say_checked(as_json=as_json, is_new=False)
    _print(changed, as_json)


@app.command()
@reported
def archive(
    style: options.StyleName,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")] = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Take a style of your own out of use. There is no way back; galleries that have it keep it."""
    from headshots.cli.session import connect
    from headshots.console.output import confirm, note, print_json

    with connect(address, api_key, tls_ca) as client:
        if not yes:
            confirm(f"Archive {style}?")
        archived = client.archive_style(style)
    if as_json:
        print_json(archived)
    else:
        note(f"{archived.name} is archived: new galleries refuse it")


@app.command()
@reported
def preview(
    style: options.StyleName,
    subject: Annotated[str | None, typer.Option(help="A subject whose words are taken.")] = None,
    class_noun: Annotated[str, typer.Option(help="Without a subject: man, woman, person …")] = "person",
    version: Version = 0,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show the prompt that a style becomes, and what the foundation reads of it. Paints nothing."""
    from headshots.cli.foundations import guidance_text
    from headshots.cli.session import connect
    from headshots.console.output import print_fields, print_json

    with connect(address, api_key, tls_ca) as client:
        found = client.preview_style(style, version=version, subject=subject, class_noun=class_noun)
    if as_json:
        print_json(found)
        return
    fields: dict[str, object] = {
        "prompt": found.prompt,
        "negative prompt": found.negative_prompt or "none",
        "size": f"{found.width_px} x {found.height_px} px",
        "steps": found.steps,
        "guidance": guidance_text(found.guidance_scale, found.guidance_interval),
        "tokens": f"{found.tokens} of {found.window_tokens}",
        "would be lost": found.lost or found.negative_lost or "nothing",
        "unknown words": ", ".join(found.unknown_words) or "none",
    }
    print_fields(fields)


@app.command("list")
@reported
def list_all(
    archived: Annotated[bool, typer.Option("--archived", metavar="", help="Archived ones too.")] = False,
    label: OnlyLabels = None,
    external_id: OnlyExternalId = "",
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """List styles by name."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        styles = list(client.list_styles(include_archived=archived, labelling=labelling(label, external_id)))
    if as_json:
        print_json(styles)
        return
    print_table(
        ("STYLE", "VERSION", "OF", "NAME", "DESCRIPTION"),
        [(_short(each), each.version, _owner(each), each.display_name, each.description) for each in styles],
    )


@app.command()
@reported
def show(
    style: options.StyleName,
    version: Version = 0,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a style's recipe."""
    from headshots.cli.session import connect

    with connect(address, api_key, tls_ca) as client:
        _print(client.get_style(style, version=version), as_json)


def _told(*values: str | float | tuple[float, float] | None) -> dict[str, Any]:
    """The recipe's fields that were given, by their names; `values` in the recipe's order."""
    from headshots.client import StyleRecipe

    names = [field.name for field in dataclasses.fields(StyleRecipe)]
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _print(style: Style, as_json: bool) -> None:
    from headshots.cli.foundations import interval_text
    from headshots.console.output import print_fields, print_json

    if as_json:
        print_json(style)
        return
    recipe = dataclasses.asdict(style.recipe)
    if style.recipe.guidance_interval is not None:
        recipe["guidance_interval"] = interval_text(style.recipe.guidance_interval)
    told = {name.replace("_", " "): value for name, value in recipe.items() if value is not None and value != ""}
    fields: dict[str, object] = {
        "style": _short(style),
        "name": style.display_name,
        "version": style.version,
        "of": _owner(style),
        "description": style.description,
    }
    print_fields({**fields, **{name: value for name, value in told.items() if value != 0 or name == "guidance scale"}})


def _short(style: Style) -> str:
    return style.name.removeprefix("styles/")


def _owner(style: Style) -> str:
    if style.built_in:
        return "everybody"
    return "you, archived" if style.archived else "you"
