"""Errors name what was typed: options and arguments in place of fields of the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from typer.main import get_command

from headshots.cli.app import app
from headshots.console.exits import ExitCode, print_error
from headshots.console.terminal.parameters import in_words, running, typed
from headshots.errors import FieldViolation, InvalidArgumentError

ROOT = get_command(app)


@pytest.fixture
def shown(request: pytest.FixtureRequest) -> Iterator[None]:
    """A command is running, with these values."""
    path, given = request.param
    command = ROOT
    for name in path.split():
        command = command.commands[name]  # type: ignore[attr-defined]
    with running(command.params, given):
        yield


@pytest.mark.parametrize(
    ("shown", "field", "said"),
    [
        (("looks create", {}), "frame.eye_line", "--eye-line"),
        (("looks create", {}), "frame.width_px", "--size"),
        (("looks create", {}), "look_id", "LOOK"),
        (("looks create", {"style": ["a", "b"]}), "styles[1]", "--style no. 2"),
        (("looks create", {"style": ["a"]}), "styles[0]", "--style"),
        (("looks create", {}), "seed_policy", "--seeds"),
        (("looks create", {}), "display_name", "--name"),
        (("looks update", {}), "name", "LOOK"),
        (("teams shoot", {"members": ["a", "b"]}), "members[1]", "SUBJECT no. 2"),
        (("generate", {"style": ["a,b"]}), "styles[1]", "--style no. 2"),
        (("generate", {}), "shots_per_style", "--shots"),
        (("generate", {}), "remix.image", "--remix"),
        (("remix", {}), "remix.image", "IMAGE"),
        (("remix", {"backdrop": "", "light": "sun"}), "remix.to", "--light"),
        (("subjects create", {}), "consent.statement", "--consent"),
        (("subjects create", {}), "labels[ort]", "--label"),
        (("subjects create", {"label": ["team=a", "ort="]}), "labels[ort]", "--label ort"),
        (("profiles create", {"limit": ["min_sharpness=9"]}), "limits.min_sharpness", "--limit min_sharpness"),
        (("styles create", {}), "recipe.guidance_scale", "--guidance"),
        (("looks create", {}), "page_token", "page_token"),
    ],
    indirect=["shown"],
)
@pytest.mark.usefixtures("shown")
def test_a_field_is_named_as_it_is_typed(field: str, said: str) -> None:
    assert typed(field) == said


def test_without_a_command_fields_keep_their_names() -> None:
    assert typed("frame.eye_line") == "frame.eye_line"


@pytest.mark.parametrize("shown", [("looks create", {"style": ["a", "b"]})], indirect=True)
@pytest.mark.usefixtures("shown")
def test_messages_name_options_where_they_name_fields_and_keep_words_of_english() -> None:
    told = "frame.eye_line: the crown is cut off; choose another look_id for these styles. frame.eye_lines stay"
    violations = [FieldViolation(name, "of frame.eye_line") for name in ("frame.eye_line", "look_id", "styles")]
    message, retold = in_words(InvalidArgumentError("LOOK_INVALID", told, violations=violations))
    assert message == "--eye-line: the crown is cut off; choose another LOOK for these styles. frame.eye_lines stay"
    assert [each.field for each in retold] == ["--eye-line", "LOOK", "--style"]
    assert {each.description for each in retold} == {"of --eye-line"}


@pytest.mark.parametrize("shown", [("looks create", {})], indirect=True)
@pytest.mark.usefixtures("shown")
def test_people_read_options_and_scripts_read_what_the_gateway_said(capsys: pytest.CaptureFixture[str]) -> None:
    violations = [FieldViolation("frame.eye_line", "too high")]
    error = InvalidArgumentError("FRAME_IMPOSSIBLE", "frame.eye_line: too high", violations=violations)
    print_error(error, ExitCode.REFUSED, as_json=False)
    assert "FRAME_IMPOSSIBLE: --eye-line: too high" in capsys.readouterr().err
    print_error(error, ExitCode.REFUSED, as_json=True)
    assert "frame.eye_line: too high" in capsys.readouterr().err


def test_every_command_is_run_with_its_parameters_known() -> None:
    found: list[str] = []
    own = typer.Typer()

    @own.command()
    def show(eye_line: float = 0.4) -> None:
        found.append(typed("frame.eye_line"))

    @own.command()
    def other() -> None:
        found.append(typed("frame.eye_line"))

    from headshots.console.terminal.helping import described

    described(own)
    command = get_command(own)
    for words in (["show"], ["other"]):
        command.main(words, standalone_mode=False)
    assert found == ["--eye-line", "frame.eye_line"]
