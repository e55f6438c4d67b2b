"""Records that survive."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.state import State

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=6,
)
_steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "delete", "reopen", "fail"]),
        st.sampled_from(["a", "a/b", "a%", "é"]),
        _values,
    ),
    max_size=8,
)


@given(steps=_steps)
def test_it_holds_what_was_put_and_not_deleted_over_any_restarts(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("state")
    state, expected = State(folder), {}
    for step, name, value in steps:
        if step == "put":
            state.put("kind", name, value)
            expected[name] = value
        elif step == "delete":
            assert state.delete("kind", name) == (name in expected)
            expected.pop(name, None)
        elif step == "reopen":
            state.close()
            state = State(folder)
        else:
            with suppress(ZeroDivisionError), state.together():
                state.put("kind", name, value)
                state.delete("kind", "a")
                raise ZeroDivisionError
    assert dict(state.all("kind")) == expected
    assert [name for name, _ in state.all("kind", "a")] == sorted(
        name for name in expected if name.startswith("a")
    )
    assert state.all("other") == []
    state.close()


def test_threads_do_not_lose_each_others_changes(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.put("count", "one", 0)

    def work() -> None:
        for _ in range(50):
            with state.together():
                state.put("count", "one", state.get("count", "one") + 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.get("count", "one") == 200
    state.close()
