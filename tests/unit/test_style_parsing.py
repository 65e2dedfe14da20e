"""Files of styles mean the same to libyaml as to PyYAML's own parser, whose errors and limits they keep."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from headshots.styles import parsing
from headshots.styles.parsing import SHORT, parse_yaml
from tests.support.paths import ROOT

FILES = sorted((ROOT / "styles").rglob("*.yaml"))


def test_what_is_shipped_means_the_same() -> None:
    assert len(FILES) > 60
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        # As text, which tells 1 from 1.0 and from true.
        assert repr(parse_yaml(text)) == repr(yaml.safe_load(text)), path
        assert len(text) <= SHORT, path


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="this PyYAML was built without libyaml")
def test_a_short_text_is_read_by_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing.yaml, "safe_load", lambda _: pytest.fail("the parser in Python was asked"))
    assert parse_yaml("a: 1\nb: [0.5, 'ä']\n") == {"a": 1, "b": [0.5, "ä"]}


@pytest.mark.parametrize("built", [True, False])
def test_an_error_shows_the_line(built: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing.yaml, "__with_libyaml__", built and yaml.__with_libyaml__)
    with pytest.raises(yaml.YAMLError) as caught:
        parse_yaml("name: plain\noutfit: {unclosed\nversion: 1\n")
    assert "line 3, column 8:\n    version: 1" in str(caught.value)


@pytest.mark.parametrize("opened", ["[", "- ", "{a: "])
def test_what_is_nested_too_deeply_is_an_error_and_not_the_end_of_the_process(opened: str) -> None:
    with pytest.raises(RecursionError):
        parse_yaml(opened * 100_000)
    # As deep as a short text can be: within the stack of a thread, whatever the parser makes of it.
    with ThreadPoolExecutor() as pool:
        error = pool.submit(parse_yaml, (opened * SHORT)[:SHORT]).exception()
    assert isinstance(error, yaml.YAMLError | RecursionError | None)


def test_objects_are_not_made(tmp_path: Path) -> None:
    with pytest.raises(yaml.YAMLError, match="could not determine a constructor"):
        parse_yaml(f"!!python/object/apply:pathlib.Path.touch [{tmp_path / 'made'}]")
