"""Defines `headshots serve`, which runs one service in this process, or all three on loopback."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from headshots.cli.addresses import PORTS, listening_host, local_address
from headshots.cli.extras import check_analyzers, require, require_services
from headshots.cli.options import Foundation
from headshots.console.exits import reported

app = typer.Typer(
    help="Run services. All settings come from HEADSHOTS_… variables, as HEADSHOTS_GATEWAY_PORT=50061; "
    "docs/operations.md lists them.",
    no_args_is_help=True,
)

METRICS_PORTS = {"gateway": 9101, "trainer": 9102, "generator": 9103}
LINKS_PORT = 50054
COLOURS = {"gateway": "cyan", "trainer": "yellow", "generator": "magenta"}
# The first start may have to export the engine package, which takes minutes for a large foundation.
READY_SECONDS = 1800.0

HomeFolder = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="HEADSHOTS_HOME",
        file_okay=False,
        help="Where database, objects, engines and the API key are kept. Default: ~/.local/share/headshots.",
    ),
]


@app.command()
@reported
def gateway(home: HomeFolder = None) -> None:
    """The public API."""
    _become("gateway", given_environment(home, None))


@app.command()
@reported
def trainer(home: HomeFolder = None, foundation: Foundation = None) -> None:
    """Selfies to adapters."""
    _become("trainer", given_environment(home, foundation))


@app.command()
@reported
def generator(home: HomeFolder = None, foundation: Foundation = None) -> None:
    """Adapters to images."""
    _become("generator", given_environment(home, foundation))


@app.command("all")
@reported
def serve_all(home: HomeFolder = None, foundation: Foundation = None) -> None:
    """All three as child processes on loopback, until Ctrl-C. Ends with 1 when one of them dies."""
    require_services("serve all")
    require("serve all", "gateway", "generator", "trainer", "export")
    from headshots.processes.fleet import Fleet, ServicesFailedError
    from headshots.processes.serving import death_message, wait_until_serving
    from headshots.processes.signals import stopping_on_signals

    addresses = free_addresses()
    refuse_others(addresses)
    probed, ports = probed_addresses(addresses)
    environment = {
        **default_environment(addresses, foundation),
        **given_environment(home, foundation),
        **ports,
        **links(),
    }
    check_analyzers({**os.environ, **environment})
    with stopping_on_signals():
        try:
            with Fleet(_print_line) as fleet:
                for name in PORTS:
                    fleet.start(name, f"services.{name}", environment)
                wait_until_serving(
                    fleet,
                    probed,
                    timeout_seconds=READY_SECONDS,
                    on_serving=lambda name: _print_line(name, f"serving on {addresses[name]}"),
                )
                _tell_ready({**os.environ, **environment}, home)
                while (dead := fleet.exited()) is None:
                    time.sleep(0.2)
                raise ServicesFailedError("SERVICE_DIED", death_message(*dead))
        except KeyboardInterrupt:
            # That is how it is meant to end.
            typer.echo("stopped", err=True)


def free_addresses() -> dict[str, str]:
    """Where the three will be found, once it is known that their ports are free.

    Raises:
        InvalidArgumentError: SETTING_INVALID: a variable is no port, or 0, which nobody would find.
        UnavailableError: ADDRESS_IN_USE, ADDRESS_UNUSABLE.
    """
    from headshots.errors import InvalidArgumentError
    from headshots.rpc.ports import check_port
    from headshots.settings import read_port

    addresses = {}
    for name in PORTS:
        for kind, default in (("PORT", PORTS[name]), ("METRICS_PORT", METRICS_PORTS[name])):
            variable = f"HEADSHOTS_{name.upper()}_{kind}"
            port = read_port(os.environ, variable, default)
            check_port(listening_host(name, os.environ), port, variable)
            if kind == "PORT":
                if port == 0:
                    raise InvalidArgumentError("SETTING_INVALID", f"{variable}=0: here a port must be known")
                addresses[name] = local_address(name, os.environ)
    return addresses


def refuse_others(addresses: dict[str, str]) -> None:
    """Return where nobody answers yet at the addresses of the three: another instance there would seem to be ready.

    A port may be free to listen on and lead elsewhere all the same, as one that a container's network forwards.

    Raises:
        UnavailableError: ADDRESS_IN_USE.
    """
    from headshots.errors import UnavailableError
    from headshots.rpc.ports import is_answered

    for name, address in addresses.items():
        if is_answered(address):
            raise UnavailableError(
                "ADDRESS_IN_USE",
                f"another program answers at {address}, perhaps another `headshots serve`. Stop that one, or choose "
                f"another port with HEADSHOTS_{name.upper()}_PORT",
            )


def links() -> dict[str, str]:
    """The variable of the port that links to images are served on; none where the caller's variables say otherwise.

    A cloud store signs links itself, and a gateway that listens on more than loopback needs the URL that clients open.

    Raises:
        UnavailableError: ADDRESS_IN_USE, ADDRESS_UNUSABLE.
    """
    from headshots.rpc.ports import check_port

    variables = links_variables()
    for variable in variables:
        check_port("127.0.0.1", LINKS_PORT, variable)
    return variables


def links_variables() -> dict[str, str]:
    """As `links`, whether or not the port is free."""
    variable = "HEADSHOTS_GATEWAY_LINKS_PORT"
    store = os.environ.get("HEADSHOTS_GATEWAY_STORE_URL") or os.environ.get("HEADSHOTS_STORE_URL") or "file:"
    if os.environ.get(variable) or os.environ.get("HEADSHOTS_GATEWAY_HOST") or not store.startswith("file:"):
        return {}
    return {variable: str(LINKS_PORT)}


def probed_addresses(addresses: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Where the three answer health probes that speak no TLS, and the variables that make them do so."""
    from headshots.processes.ports import free_port

    if not os.environ.get("HEADSHOTS_INTERNAL_CERTIFICATE_FILE"):
        return addresses, {}
    variables = {f"HEADSHOTS_{name.upper()}_HEALTH_PORT": str(free_port()) for name in ("trainer", "generator")}
    given = {name: os.environ[name] for name in variables if os.environ.get(name)}
    ports = {**variables, **given}
    found = {name: ports.get(f"HEADSHOTS_{name.upper()}_HEALTH_PORT") for name in addresses}
    return {name: f"127.0.0.1:{port}" if (port := found[name]) else addresses[name] for name in addresses}, ports


def where_the_key_is(key_file: Path, home: Path | None) -> str:
    """What to tell of the API key: none is made where the database has keys already, or is not the home's own."""
    if key_file.exists():
        return f"the API key is in {key_file}"
    variable = f"HEADSHOTS_HOME={home} " if home is not None else ""
    return f"there is no key in {key_file}: `{variable}headshots keys create --save` leaves one there"


def default_environment(addresses: dict[str, str], foundation: Path | None) -> dict[str, str]:
    """How the three find each other, who judges faces and which styles fit, where the caller's variables do not say."""
    from headshots.cli.foundations import styles_for
    from headshots.settings import default_faces, default_foundation

    folder = foundation or default_foundation()
    faces = default_faces(folder)
    wanted = {
        "HEADSHOTS_GATEWAY_TRAINER_ADDRESS": addresses["trainer"],
        "HEADSHOTS_GATEWAY_GENERATOR_ADDRESS": addresses["generator"],
        "HEADSHOTS_GATEWAY_FACES": faces,
        "HEADSHOTS_TRAINER_FACES": faces,
        # What cuts portraits is what judges them.
        "HEADSHOTS_GENERATOR_FACES": os.environ.get("HEADSHOTS_GATEWAY_FACES") or faces,
        "HEADSHOTS_GENERATOR_FACES_DIR": os.environ.get("HEADSHOTS_GATEWAY_FACES_DIR", ""),
        "HEADSHOTS_GATEWAY_STYLES": str(styles_for(folder)),
    }
    return {name: value for name, value in wanted.items() if value and not os.environ.get(name)}


def _tell_ready(environment: dict[str, str], home: Path | None) -> None:
    from headshots.settings import Home, without_analyzer

    key_file = Home.from_environment(environment).api_key_file
    _print_line("gateway", f"ready; {where_the_key_is(key_file, home)}; Ctrl-C stops all three")
    blind = [name for name in ("gateway", "trainer") if environment.get(f"HEADSHOTS_{name.upper()}_FACES") == "none"]
    if blind:
        # Their own warnings stand far above.
        _print_line(blind[0], f"warning: {without_analyzer(*blind)}")


def given_environment(home: Path | None, foundation: Path | None) -> dict[str, str]:
    """The variables that the options stand for."""
    given = {"HEADSHOTS_HOME": home and home.absolute(), "HEADSHOTS_FOUNDATION": foundation}
    return {name: str(path) for name, path in given.items() if path is not None}


def _become(name: str, environment: dict[str, str]) -> None:
    """Replace this process, so that signals and the exit code are the service's own.

    Raises:
        FailedPreconditionError: SERVICES_MISSING, EXTRA_MISSING.
    """
    require_services(f"serve {name}")
    require(f"serve {name}", name)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-P", "-m", f"services.{name}"], {**os.environ, **environment})


def _print_line(name: str, line: str) -> None:
    from headshots.console.terminal.colours import styled

    typer.echo(styled(f"{name:<9} | ", COLOURS[name]) + line)
