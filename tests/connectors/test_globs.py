from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.globs import expand, matcher
from rag.errors import ConfigError


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("**/*", ["a", "a/b", "a/b/c.txt"], []),
        ("**", ["a", "a/b"], []),
        ("*.md", ["a.md"], ["x/a.md", "a.mdx"]),
        ("**/*.md", ["a.md", "x/a.md", "x/y/a.md"], ["a.txt"]),
        ("hr/**", ["hr/a", "hr/x/a"], ["hr", "hrx/a", "x/hr/a"]),
        ("hr/", ["hr/a", "hr/x/a"], ["hr"]),
        ("**/hr/**", ["hr/a", "x/hr/y/a"], ["x/hr"]),
        ("hr/*/a", ["hr/x/a"], ["hr/a", "hr/x/y/a"]),
        ("a/**/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab"]),
        ("?.txt", ["a.txt"], ["ab.txt", "/.txt"]),
        ("[a-c].txt", ["b.txt"], ["d.txt"]),
        ("[!a-c].txt", ["d.txt"], ["b.txt", "/.txt"]),
        ("[]x].txt", ["].txt", "x.txt"], ["a.txt"]),
        ("[ab.txt", ["[ab.txt"], ["a.txt"]),
        ("[z-a].txt", [], ["m.txt"]),
        ("[[:.txt", ["[[:.txt"], [":.txt"]),
        ("[\\d].txt", ["d.txt", "\\.txt"], ["5.txt"]),
        ("*.{md,t?t}", ["a.md", "a.tat"], ["a.doc"]),
        ("{a,b{c,d}}/x", ["a/x", "bc/x", "bd/x"], ["b/x"]),
        ("{a}", ["{a}"], ["a"]),
        ("a+b(1).txt", ["a+b(1).txt"], ["aab1.txt"]),
        ("a**b", ["ab", "axyb"], ["a/b"]),
        ("*\n*", ["a\nb"], ["ab"]),
    ],
)
def test_patterns_mean_what_they_mean_in_a_shell(
    pattern: str, matching: list[str], other: list[str]
) -> None:
    matches = matcher([pattern])
    assert [key for key in matching if not matches(key)] == []
    assert [key for key in other if matches(key)] == []


def test_names_written_in_another_unicode_form_are_the_same_names() -> None:
    assert matcher(["cafe\u0301/*"])("caf\u00e9/menu.txt")


def test_no_pattern_matches_nothing() -> None:
    assert not matcher([])("a")


def test_braces_that_multiply_without_end_are_refused() -> None:
    with pytest.raises(ConfigError):
        expand("{a,b}" * 30)


def by_hand(segments: list[str], parts: list[str]) -> bool:
    """The meaning of ``**`` as a recursion over segments."""
    if not parts:
        return not segments
    if parts[0] == "**":
        if len(parts) == 1:
            return bool(segments)
        return by_hand(segments, parts[1:]) or (bool(segments) and by_hand(segments[1:], parts))
    return (
        bool(segments)
        and re.fullmatch(parts[0].replace("*", ".*"), segments[0]) is not None
        and by_hand(segments[1:], parts[1:])
    )


@given(
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5),
    st.lists(st.sampled_from(["a", "b", "*", "a*", "*b", "**"]), min_size=1, max_size=5),
)
def test_any_pattern_matches_as_a_recursion_over_segments_would(
    segments: list[str], parts: list[str]
) -> None:
    assert matcher(["/".join(parts)])("/".join(segments)) == by_hand(segments, parts)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_pattern_breaks_the_matcher(pattern: str, key: str) -> None:
    matcher([pattern])(key)
