r"""Patterns of layer names: what is read means what it means to PEFT, takes steps that grow with a name's length only,
and all else is refused."""

from __future__ import annotations

import functools
import random
import re
import warnings
from collections.abc import Callable

import pytest
from peft.utils.other import get_pattern_key

from headshots.diffusion.lora import patterns
from headshots.diffusion.lora.patterns import NamePatterns

NAMES = [
    f"{block}.attentions.{number}.transformer_blocks.0.{attention}.{layer}"
    for block in ("down_blocks.0", "down_blocks.10", "up_blocks.1", "mid_block")
    for number in range(2)
    for attention in ("attn1", "attn2")
    for layer in ("to_q", "to_k", "to_out.0")
]
SHORT = [
    "",
    ".",
    "a",
    "b",
    "ab",
    "ba",
    "aab",
    "a.b",
    "b.a",
    "a.ab",
    "ab.b",
    "aa.aa",
    "b.aaaa",
    "..a",
    "a.",
    "a1",
    "_a.0b",
]


def found(values: dict[str, float], name: str) -> float | None:
    return NamePatterns(values).find(name)


def of_peft(values: dict[str, float], name: str) -> float | None:
    """As `peft/tuners/lora/model.py` finds an alpha."""
    return values.get(get_pattern_key(list(values), name))


WRITTEN = [
    "attn1.to_q",
    "to_q",
    "to_out.0",
    r"to_out\.0",
    NAMES[3],
    "up_blocks.1.attentions.1.transformer_blocks.0.attn2.to_out.0",
    "xattn1.to_q",
    ".*",
    ".*attn2.*",
    "^mid_block.*",
    "^to_q",
    "^mid_block.*|^up_blocks.*to_k$",
    r"(down|up)_blocks\.\d+\..*\.to_[qk]",
    r"(?:down|up)_blocks\.[0-9]{2}\..*attn1.*",
    r"[^.]+\.to_(q|k|out\.0)$",
    r"down_blocks\.1?0.*?to_k",
    r"\w+_blocks\.[\d].{3,}to_[a-q]",
    r"attentions\.(0|1)(\.\w+)+",
    r"(([a-z0-9._]+)+)+",
    "()",
    "",
    "(a*)*",
    "(a|ab)(b|)",
    "a{2}",
    "(a|b){,3}",
    "a{0}b",
    "[a-]b?",
    r"[-\.a]+",
    r"\D\S*",
    "|a",
    "a|b|",
]


@pytest.mark.parametrize("pattern", WRITTEN)
def test_a_pattern_means_what_it_means_to_peft(pattern: str) -> None:
    for name in (*NAMES, *SHORT):
        assert found({pattern: 2.0}, name) == of_peft({pattern: 2.0}, name), name


def test_of_several_patterns_the_first_that_matches_counts_as_in_peft() -> None:
    values = {"attn1.to_q": 1.0, r"^down.*": 2.0, ".*to_k": 3.0, "attn1.to_k": 4.0, "to_q": 5.0}
    both = [(found(values, name), of_peft(values, name)) for name in NAMES]
    assert all(ours == theirs for ours, theirs in both)
    assert {ours for ours, _ in both} == {None, 1.0, 2.0, 3.0, 5.0}


def _random_pattern(random_: random.Random, depth: int = 3) -> str:
    """Any mixture of signs, most of it well-formed."""
    choice = random_.random()
    if depth == 0 or choice < 0.35:
        return random_.choice(["a", "b", ".", r"\.", "1", "_", "[ab]", "[^a]", "[a-b.]", r"\w", r"\d", "0", r"[\w-]"])
    inner = _random_pattern(random_, depth - 1)
    if choice < 0.55:
        return inner + _random_pattern(random_, depth - 1)
    if choice < 0.7:
        return f"({inner}|{_random_pattern(random_, depth - 1)})"
    if choice < 0.95:
        inner = inner if len(inner) == 1 else f"(?:{inner})"
        return inner + random_.choice(
            ["*", "+", "?", "*?", "+?", "??", "{2}", "{,2}", "{1,}", "{1,3}", "{0}", "{1,2}?"]
        )
    return random_.choice(["^", "$", "(", ")", "]", "{", "*", "|", r"\b", "(?i)", r"\1", "*+", "-"]) + inner


@pytest.mark.parametrize("seed", range(20))
def test_random_patterns_are_read_as_peft_reads_them_or_refused(seed: int) -> None:
    random_ = random.Random(seed)
    read = 0
    for _ in range(60):
        pattern = _random_pattern(random_)
        try:
            ours = NamePatterns({pattern: 1.0})
        except ValueError:
            continue
        read += 1
        for name in SHORT:
            assert ours.find(name) == of_peft({pattern: 1.0}, name), (pattern, name)
    assert read > 40


@pytest.mark.parametrize("seed", range(10))
def test_signs_in_any_order_are_read_as_peft_reads_them_or_refused(seed: int) -> None:
    random_ = random.Random(seed)
    read = 0
    for _ in range(1500):
        pattern = "".join(random_.choices(r"ab.1-^$*+?{}[]()|\,dz", k=random_.randrange(1, 8)))
        try:
            ours = NamePatterns({pattern: 1.0})
        except ValueError:
            continue
        read += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            expected = [of_peft({pattern: 1.0}, name) for name in SHORT]
        assert [ours.find(name) for name in SHORT] == expected, pattern
    assert read > 100


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "a)|(b", "a**", "*a", "(*a)", "a*+", "a{1,2}+", "[", "[]", "[]a]", "[^]", "[z-a]", "[a-.]", "{2}"),
        *(
            "a{",
            "a{x}",
            "a{2,1}",
            "a{,}",
            r"[\d-z]",
            r"[\.-z]",
            "[--a]",
            r"\bto_q",
            r"(a)\1",
            "(?=a)",
            "(?!a)",
            "(?i)a",
        ),
        *("(?P<x>a)", "(?<=a)b", "(^a)", "a^", "a$b", "(a$)", r"\Z", r"\x41", "\\", "a}", "]"),
    ],
)
def test_what_is_not_read_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="the pattern "):
        NamePatterns({pattern: 1.0})


@pytest.mark.parametrize(
    "pattern",
    [
        "a{513}",
        "a{99999999999999999999}",
        "((a{16}){16}){16}",
        "(((((a?){4}){4}){4}){4}){4}",
        "a" * 255 + "*b*c*",
        "(" * 21 + "a" + ")" * 21,
        "(" * 5000,
        "a" * 1024 + "*",
    ],
)
def test_what_would_grow_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="the pattern "):
        NamePatterns({pattern: 1.0})


@pytest.mark.parametrize(
    "values",
    [
        {f"to_{n}": 1.0 for n in range(4097)},
        {f"to_{n}|": 1.0 for n in range(100)},
        {"()" * n: 1.0 for n in range(1, 300)},
    ],
)
def test_a_file_may_not_have_any_number_of_them(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="patterns"):
        NamePatterns(values)


def counted(method: str, work: Callable[[], float | None], monkeypatch: pytest.MonkeyPatch) -> tuple[float | None, int]:
    """What ``work`` answers, and how often it called a method of automata."""
    calls = 0
    original = getattr(patterns._Automaton, method)

    def counting(self: object, argument: object) -> object:
        nonlocal calls
        calls += 1
        return original(self, argument)

    with monkeypatch.context() as patch:
        patch.setattr(patterns._Automaton, method, counting)
        return work(), calls


def test_copies_of_nothing_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no characters that could be counted against the limit."""
    nested = {"((((){512}){512}){512}){512}": 1.0}
    answer, built = counted("_build", lambda: found(nested, ""), monkeypatch)
    assert answer == 1.0
    assert built < 50


@pytest.mark.parametrize("pattern", ["(([a-z0-9._]+)+)+!", "(a|a)*b", "(a*)*b", "(.*)*.*.*x", "(a?){100}c"])
def test_a_name_takes_one_step_a_character_where_re_takes_two_to_the_power_of_it(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = (functools.partial(found, {pattern: 1.0}, "a" * length) for length in (50, 500))
    assert counted("_after", short, monkeypatch) == (None, 50)
    assert counted("_after", long, monkeypatch) == (None, 500)


def test_re_itself_knows_the_patterns_that_are_written_here() -> None:
    """Or PEFT would raise where we match."""
    for pattern in WRITTEN:
        re.compile(pattern)
