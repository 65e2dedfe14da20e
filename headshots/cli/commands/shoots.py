"""Defines `headshots shoot`, from selfies to the best portraits, and `headshots shoots` for those that were ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli import consents, foundations
from headshots.cli import shoot_options as options
from headshots.cli.commands.pictures.pages import Saved
from headshots.cli.labels import ExternalId, Labels, OnlyExternalId, OnlyLabels, labelling
from headshots.cli.options import DEFAULT_ADDRESS, Address, ApiKey, Json, PriorityName, SubjectName, TlsCa, Urgency
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.client import Headshots, Shoot, Subject

app = typer.Typer(help="Shoots that were ordered: list, get, watch, cancel.", no_args_is_help=True)
ShootName = Annotated[str, typer.Argument(metavar="SHOOT", help="subjects/…/shoots/…")]


@reported
def shoot(
    subject: options.Person,
    pack: options.PackName = None,
    styles: options.Styles = None,
    count: options.Count = 40,
    out: options.Out = options.OUT,
    best: options.Best = 0,
    name: options.Name = None,
    class_noun: options.ClassNoun = "person",
    consent: consents.Statement = None,
    profile: options.ProfileName = "",
    max_tries: options.MaxTries = 0,
    retrain: options.Retrain = False,
    foundation: foundations.Served = None,
    allow_unjudged: options.AllowUnjudged = False,
    deadline: options.Deadline = None,
    seed: options.Seed = 0,
    format: options.FileFormat = options.Format.PNG,
    quality: options.Quality = 0,
    priority: PriorityName = Urgency.STANDARD,
    quote: options.QuoteOnly = False,
    detach: options.Detach = False,
    label: Labels = None,
    external_id: ExternalId = "",
    html: options.Html = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """From selfies to the best portraits: learn the person, paint, judge, paint again what is refused, save by rank.
    A folder's usable selfies go first, also for --quote. Ctrl-C stops waiting alone. 7: some are not accepted."""
    from headshots.cli.session import connect

    saved = Saved(out, best, html).checked()
    how = options.how(retrain, profile, max_tries, seed, (format, quality, priority), deadline, allow_unjudged)
    order = {**_wanted(pack, styles), "count": count, "options": how, "labelling": labelling(label, external_id)}
    with connect(address, api_key, tls_ca) as client:
        made = _order(client, subject, order, foundation, quote, name=name, class_noun=class_noun, consent=consent)
        _finish(client, made, as_json, quote=quote, detach=detach, saved=saved)


def _wanted(pack: str | None, styles: list[str] | None) -> dict[str, Any]:
    """The pack, or names of styles where there is none.

    Raises:
        typer.BadParameter: there is neither, or both.
    """
    wanted = options.separate(styles)
    if bool(pack) == bool(wanted):
        raise typer.BadParameter(
            "name a pack (`headshots packs list`) or styles (`headshots styles list`)"
            + (", and not both" if pack else ""),
            param_hint="--pack / --styles",
        )
    return {"pack": pack or "", "styles": wanted}


def _order(
    client: Headshots,
    given: str,
    order: dict[str, Any],
    foundation: str | None,
    quote: bool,
    *,
    name: str | None,
    class_noun: str,
    consent: str | None,
) -> Shoot:
    """Order, or quote, what is asked for of the person given, once everything that it names is found."""
    from headshots.console.person import check_catalog, find_person
    from headshots.console.shoots import naming_the_shoot

    order["options"] = foundations.on(client, order["options"], foundation)
    options.refuse_passed(order["options"].deadline)
    check_catalog(client, pack=order["pack"], styles=order["styles"], profile=order["options"].profile)

    def create(person: Subject, *, validate_only: bool) -> Shoot:
        with naming_the_shoot(client, person):
            return client.create_shoot(person, **order, validate_only=validate_only)

    agreed = consents.consent(consent)
    who: dict[str, Any] = {"name": name, "class_noun": class_noun, "consent": agreed}
    person = find_person(client, given, **who, check=lambda made: create(made, validate_only=True))
    return create(person, validate_only=quote)


def _finish(client: Headshots, made: Shoot, as_json: bool, *, quote: bool, detach: bool, saved: Saved) -> None:
    from headshots.console.output import print_json
    from headshots.console.shoots import print_quote, report_order

    if not quote:
        report_order(made)
    if not quote and not detach:
        _follow(client, made, saved, as_json)
    elif as_json:
        print_json(made)
    elif quote:
        print_quote(made)
    else:
        typer.echo(made.name)


@app.command()
@reported
def watch(
    shoot: ShootName,
    out: options.Out = options.OUT,
    best: options.Best = 0,
    html: options.Html = False,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Follow a shoot to its end and save its images; the exit code tells how it ended. May be repeated."""
    from headshots.cli.session import connect

    saved = Saved(out, best, html).checked()
    with connect(address, api_key, tls_ca) as client:
        _follow(client, client.get_shoot(shoot), saved, as_json)


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
    """List a subject's shoots, newest first."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json, print_table

    with connect(address, api_key, tls_ca) as client:
        shoots = list(client.list_shoots(subject, labelling=labelling(label, external_id)))
    if as_json:
        print_json(shoots)
        return
    rows = [
        (each.name, each.state, f"{each.delivered}/{each.asked}", each.guarantee, each.create_time) for each in shoots
    ]
    print_table(("SHOOT", "STATE", "ACCEPTED", "GUARANTEE", "CREATED"), rows)


@app.command()
@reported
def get(
    shoot: ShootName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Show a shoot as it stands."""
    from headshots.cli.session import connect
    from headshots.console.output import print_json
    from headshots.console.shoots import print_shoot

    with connect(address, api_key, tls_ca) as client:
        found = client.get_shoot(shoot)
    if as_json:
        print_json(found)
    else:
        print_shoot(found)


@app.command()
@reported
def cancel(
    shoot: ShootName,
    address: Address = DEFAULT_ADDRESS,
    api_key: ApiKey = None,
    tls_ca: TlsCa = None,
    as_json: Json = False,
) -> None:
    """Ask a shoot to stop, its training or its gallery with it."""
    from headshots.cli.session import connect
    from headshots.console.output import print_fields, print_json

    with connect(address, api_key, tls_ca) as client:
        asked = client.cancel_shoot(shoot)
    if as_json:
        print_json(asked)
    else:
        # It answers at once; what runs stops at its next step.
        print_fields({"shoot": asked.name, "state": asked.state if asked.state.terminal else "cancelling"})


def _follow(client: Headshots, made: Shoot, saved: Saved, as_json: bool) -> None:
    """Wait for the end, save the images, and tell of each, of the guarantee and of the time.

    Raises:
        typer.Exit: NOT_GUARANTEED, not all images are accepted.
        JobFailedError, CancelledByCallerError: it did not succeed.
        UnavailableError, KeyboardInterrupt: with how to go on.
    """
    from headshots.client import ImageOrder
    from headshots.client.saving import best_of
    from headshots.console.output import note, print_json, say
    from headshots.console.shoots import follow_shoot, guarantee_line, next_step, saved_line, turnaround_line
    from headshots.console.verdicts import print_verdicts

    ended = follow_shoot(client, made, go_on=saved.options)
    images = list(client.list_images(ended.gallery, order=ImageOrder.RANK))
    saved.out.mkdir(parents=True, exist_ok=True)
    files = {image.name: client.save_image(image, saved.out) for image in best_of(images, saved.best)}
    page = saved.page(client, ended, images, files)
    if as_json:
        print_json({"shoot": ended, "images": images, "files": [str(file) for file in files.values()], **page})
    else:
        print_verdicts(images)
        say(f"\n{guarantee_line(ended)}")
        say(saved_line(list(files.values()), saved.out))
        for path in page.values():
            typer.echo(path)
        for line in filter(None, (next_step(ended, images), turnaround_line(ended))):
            note(line)
    if ended.guarantee != "MET":
        raise typer.Exit(ExitCode.NOT_GUARANTEED)
