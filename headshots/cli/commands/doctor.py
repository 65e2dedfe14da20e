"""Defines `headshots doctor`, which checks everything that the services depend on, or a gateway from outside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headshots.cli.addresses import PORTS, local_address
from headshots.cli.commands.serve import default_environment, given_environment, links_variables
from headshots.cli.extras import require, require_services
from headshots.cli.options import ApiKey, Json
from headshots.console.exits import ExitCode, reported

if TYPE_CHECKING:
    from headshots.doctor.findings import Result


def _expanded(value: str) -> Path:
    return Path(value).expanduser()


def _named(value: str) -> Path:
    from headshots.diffusion.foundations.names import named

    return named(value)


def _file_or_system(value: str) -> str:
    return value if value == "system" else str(_expanded(value))


def _place(
    name: str, variable: str, text: str, parser: Callable[[str], Any] = _expanded, *, metavar: str = "PATH"
) -> Any:
    """As the options of other commands, but that what is not there is a finding and ends nothing."""
    return typer.Option(name, envvar=variable, parser=parser, metavar=metavar, help=text)


_Home = Annotated[Path | None, _place("--home", "HEADSHOTS_HOME", "Where the services keep what is theirs.")]
_Foundation = Annotated[
    Path | None, _place("--foundation", "HEADSHOTS_FOUNDATION", "The foundation, as it is found.", _named)
]
_TlsCa = Annotated[
    str | None,
    _place(
        "--tls-ca",
        "HEADSHOTS_TLS_CA",
        "A PEM file of the authorities to trust, or `system`: --gateway speaks TLS.",
        _file_or_system,
        metavar="FILE|system",
    ),
]


class Service(StrEnum):
    """What can be checked."""

    GATEWAY = "gateway"
    TRAINER = "trainer"
    GENERATOR = "generator"


@reported
def doctor(
    services: Annotated[
        list[Service] | None,
        typer.Argument(
            help="Check these as `headshots serve NAME` would start them. Default: all three as `headshots serve all` "
            "would; in a pod the one whose variables are set."
        ),
    ] = None,
    gateway: Annotated[
        str | None,
        typer.Option(
            "--gateway",
            metavar="HOST:PORT",
            help="Check a gateway from outside instead: name, TLS, health, key, styles.",
        ),
    ] = None,
    api_key: ApiKey = None,
    tls_ca: _TlsCa = None,
    home: _Home = None,
    foundation: _Foundation = None,
    as_json: Json = False,
) -> None:
    """Check every dependency and setting, and say what to do. Writes nothing but probe objects, which it removes.

    Ends with 0 where nothing failed, warnings allowed, else with 4.
    """
    if gateway is not None and services:
        raise typer.BadParameter("--gateway looks from outside: name no services with it")
    environment = given_environment(home, foundation)
    results = (
        _from_outside(gateway, api_key, tls_ca, {**os.environ, **environment})
        if gateway is not None
        else _from_inside([each.value for each in services or ()], home, foundation, environment)
    )
    found = _shown(results, as_json=as_json)
    if any(each.state == "failed" for each in found):
        raise typer.Exit(ExitCode.REFUSED)


def plans(
    named: list[str], environ: Mapping[str, str], together: Mapping[str, str]
) -> dict[str, tuple[Mapping[str, str], tuple[str, ...]]]:
    """Services to check, each with its variables and the arguments of its checks.

    Args:
        named: services that the caller asked for.
        environ: the variables there are.
        together: what `serve all` would set on top of them.
    """
    if named:
        return dict.fromkeys(dict.fromkeys(named), (environ, ()))
    if "KUBERNETES_SERVICE_HOST" in environ:
        own = [name for name in PORTS if any(each.startswith(f"HEADSHOTS_{name.upper()}_") for each in environ)]
        return dict.fromkeys(own or PORTS, (environ, ()))
    all_three = {**environ, **together}
    return {name: (all_three, ("--together",) if name == "gateway" else ()) for name in PORTS}


def _from_inside(
    named: list[str], home: Path | None, foundation: Path | None, environment: Mapping[str, str]
) -> Iterator[Result]:
    from headshots.doctor.findings import Result, State
    from headshots.doctor.processes import ask
    from headshots.errors import FailedPreconditionError

    together = {**default_environment(_addresses(), foundation), **links_variables()}
    for name, (variables, arguments) in plans(named, {**os.environ, **environment}, together).items():
        try:
            require_services(f"doctor {name}")
            require(f"doctor {name}", name)
        except FailedPreconditionError as error:
            cure = f"pip install -c constraints.txt -e '.[{name}]' in a checkout of headshots; nothing else was checked"
            yield Result(name, "packages", State.FAILED, error.message.partition(": in a checkout")[0], cure)
            continue
        yield Result(name, "packages", State.OK, "all that it imports are installed", "")
        yield from ask(name, variables, arguments)


def _addresses() -> dict[str, str]:
    """Where the three listen; a port that is wrong is told by its own service's settings."""
    from headshots.errors import InvalidArgumentError

    found = {}
    for name, port in PORTS.items():
        try:
            found[name] = local_address(name, os.environ)
        except InvalidArgumentError:
            found[name] = f"127.0.0.1:{port}"
    return found


def _from_outside(
    address: str, api_key: str | None, tls_ca: str | None, environment: Mapping[str, str]
) -> Iterator[Result]:
    from headshots.doctor.outside import OutsideLook
    from headshots.doctor.running import run
    from headshots.doctor.secrets import Redactor
    from headshots.settings import Home

    file = Home.from_environment(environment).api_key_file
    key = api_key or (file.read_text().strip() if file.exists() else None)
    redactor = Redactor({**environment, "HEADSHOTS_API_KEY": key or ""})
    yield from run(f"gateway {address}", OutsideLook(address, key, tls_ca).checks, redactor)


def _shown(results: Iterator[Result], *, as_json: bool) -> list[Result]:
    """Prints each as it comes, or all as JSON at the end."""
    from headshots.console.checks import show, summary
    from headshots.console.output import print_json, say

    found: list[Result] = []
    for result in results:
        if not as_json:
            if not found or found[-1].service != result.service:
                say(result.service)
            show(result)
        found.append(result)
    if as_json:
        print_json(found)
    else:
        say(summary(found))
    return found
