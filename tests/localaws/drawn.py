"""Values that a service model allows, drawn by hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from localaws.wire.shapes import Shape, compiled

_MOMENTS = st.integers(0, 4_000_000_000).map(lambda one: datetime.fromtimestamp(one, UTC))
_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("aé\n", max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=4,
)


def values(shape: Shape, depth: int = 0, where: str | None = None) -> st.SearchStrategy[Any]:
    """Values that the model allows; deep down only what must be there."""
    if shape.kind == "structure":
        if shape.document:
            return st.dictionaries(st.text("ab"), _DOCUMENTS, max_size=2)
        return _structures(shape, depth)
    if shape.kind in ("list", "map"):
        return _collections(shape, depth)
    if shape.kind == "string":
        return _texts(shape, where)
    if shape.kind == "boolean":
        return st.booleans()
    if shape.kind == "timestamp":
        return _MOMENTS
    if shape.kind == "blob":
        least = int(shape.minimum or 0)
        return st.binary(min_size=max(least, 1), max_size=least + 8)
    least_number = int(shape.minimum if shape.minimum is not None else -5)
    most = int(shape.maximum if shape.maximum is not None else least_number + 1000)
    whole = st.integers(least_number, most)
    return whole if shape.kind in ("integer", "long") else whole.map(float)


def _structures(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    made = {
        name: st.deferred(
            lambda member=member: values(member.shape, depth + 1, member.location)  # type: ignore[misc]
        )
        for name, member in shape.members.items()
        if not member.shape.events
    }
    if shape.union:
        names = sorted(made, key=lambda name: shape.members[name].shape.kind == "structure")
        some = names if depth < 4 else names[:1]
        return st.sampled_from(some).flatmap(lambda name: st.fixed_dictionaries({name: made[name]}))
    needed = {name: made[name] for name in shape.required if name in made}
    more = {name: one for name, one in made.items() if name not in needed} if depth < 3 else {}
    return st.fixed_dictionaries(needed, optional=more)


def _collections(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    assert shape.element is not None
    least = int(shape.minimum or 0)
    most = least if depth > 3 else min(least + 2, int(shape.maximum or least + 2))
    element = values(shape.element, depth + 1)
    if shape.kind == "list":
        return st.lists(element, min_size=least, max_size=most)
    assert shape.key is not None
    return st.dictionaries(_texts(shape.key, None), element, min_size=least, max_size=most)


def _texts(shape: Shape, where: str | None) -> st.SearchStrategy[str]:
    if shape.enum:
        return st.sampled_from(shape.enum)
    least = int(shape.minimum or 0)
    plain = where in ("header", "headers")
    if where == "uri" or plain:
        least = max(least, 1)
    letters = st.sampled_from("abcXYZ019" if plain or shape.pattern else "aé/ %?&+#日😀-\n")
    texts = st.text(letters, min_size=least, max_size=min(least + 9, int(shape.maximum or 99)))
    if shape.pattern is None:
        return texts
    pattern = compiled(shape.pattern)
    matching = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(max_codepoint=126))
    length = int(shape.maximum or 10**6)
    fits = matching.filter(lambda text: least <= len(text) <= length)
    return fits.filter(lambda text: text.isprintable() and text == text.strip()) if plain else fits


def relaxed(test: Any) -> Any:
    """Let hypothesis draw big values slowly, the same ones each time, and none smaller."""
    return settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
        ],
    )(test)
