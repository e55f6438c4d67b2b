from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.acl import read_sidecar, rights, subjects
from rag.config import Acl, PathRule

HR = ("group:hr",)


def test_a_sidecar_is_yaml_or_json() -> None:
    assert read_sidecar(b"allow: [user:ana, group:hr, group:hr]") == ("group:hr", "user:ana")
    assert read_sidecar(b'\xef\xbb\xbf{"allow": ["group:hr"]}') == HR


def test_a_sidecar_may_say_nobody() -> None:
    assert read_sidecar(b"allow: []") == ()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"allow:",
        b"allow: group:hr",
        b"allow: [hr]",
        b"allow: ['group:h r']",
        b"allow: [[group:hr]]",
        b"allow: [1]",
        b"{allow: [group:all], deny: [user:eve]}",
        b"- group:hr",
        b"allow: [group:hr]\nallow: [group:all]",
        b"allow: &a [group:hr]\n---\nallow: []",
        b"allow: &a [*a]",
        b"allow: [group:hr",
        b"\tallow: [group:hr]",
        b"\xff\xfe",
        b"!!python/object/apply:os.getcwd []",
        b"[" * 20_000,
        b"allow: [group:hr]\n" + b"#" * 70_000,
    ],
)
def test_a_sidecar_that_is_not_understood_is_refused(said: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_sidecar(said)
    assert "hr" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_principals_or_refused(said: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(read_sidecar(said), tuple)


def test_the_nearest_sidecar_wins_then_the_first_rule_then_the_default() -> None:
    rule = PathRule(glob="hr/**", allow=("group:hr",))
    later = PathRule(glob="**/*", allow=("group:later",))
    of = rights(Acl(origin="sidecar", rules=(rule, later), default=("group:staff",)))
    sidecars = {"hr/pay/a": ("user:own",), "hr/pay/": ("user:folder",), "/": ("user:root",)}
    assert of("hr/pay/a", sidecars) == ("user:own",)
    assert of("hr/pay/b", sidecars) == ("user:folder",)
    assert of("hr/b", sidecars) == ("user:root",)
    assert of("hr/b", {}) == ("group:hr",)
    assert of("x", {}) == ("group:later",)
    assert rights(Acl(default=("group:staff",)))("x", {}) == ("group:staff",)
    assert rights(Acl())("x", {}) == ()


def test_rules_do_not_apply_where_only_the_default_is_asked_for() -> None:
    rule = PathRule(glob="**", allow=("group:all",))
    assert rights(Acl(origin="default", rules=(rule,)))("x", {}) == ()


def test_a_key_is_under_its_folders_and_the_root() -> None:
    assert list(subjects("a/b/c")) == ["a/b/c", "a/b/", "a/", "/"]
