"""What calls cost, by list price, heard by whoever stands around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.cost import Spent, metered, price, price_of, record
from rag.ingest.report import summed

AMOUNTS = st.builds(
    Spent,
    calls=st.integers(0, 10**6),
    input_tokens=st.integers(0, 10**9),
    output_tokens=st.integers(0, 10**9),
    usd=st.none() | st.integers(0, 1000).map(float),
    seconds=st.integers(0, 1000).map(float),
)


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", 0.00025 + 0.00125),
        ("us.anthropic.claude-3-haiku-20240307-v1:0", 0.00025 + 0.00125),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", 0.003 + 0.015),
        ("anthropic.claude-opus-4-20250514-v1:0", 0.015 + 0.075),
        ("anthropic.claude-opus-4-5-20251101-v1:0", 0.005 + 0.025),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
            0.00006 + 0.00024,
        ),
        ("amazon.titan-embed-text-v2:0", 0.00002),
        ("cohere.rerank-v3-5:0", 0.002),
    ],
)
def test_a_thousand_tokens_in_and_out_have_their_list_price(model: str, usd: float) -> None:
    assert price_of(model, 1000, 1000) == pytest.approx(usd)


@pytest.mark.parametrize("model", ["my-endpoint", "amazon.nova", "anthropic.claude-9", ""])
def test_a_price_that_is_not_known_is_none(model: str) -> None:
    assert price(model) is None
    assert price_of(model, 10) is None


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_sums_do_not_depend_on_order_and_unknown_stays_unknown(
    one: Spent, two: Spent, three: Spent
) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + Spent() == one
    assert ((one + two).usd is None) == (one.usd is None or two.usd is None)


def test_every_meter_around_a_call_hears_of_it() -> None:
    record("amazon.nova-lite-v1:0", input_tokens=7)  # nobody listens
    with metered() as outer:
        record("amazon.nova-lite-v1:0", input_tokens=1000)
        with metered() as inner:
            record("my-endpoint", input_tokens=5, output_tokens=2)
    assert inner.total() == Spent(1, 5, 2, None)
    assert outer.usage()["amazon.nova-lite-v1:0"].usd == pytest.approx(0.00006)
    assert outer.total().usd is None
    assert outer.as_counts()["my-endpoint"] == {
        "calls": 1, "input_tokens": 5, "output_tokens": 2, "usd": None, "seconds": 0.0
    }  # fmt: skip


def test_reports_of_steps_add_up_and_unknown_stays_unknown() -> None:
    steps = [
        {"chunks": 1, "usage": {"a": {"calls": 1, "usd": 0.5}, "b": {"calls": 1, "usd": None}}},
        {"seconds": {"embed": 1.5}},
        {"chunks": 2, "usage": {"a": {"calls": 2, "usd": 0.25}, "b": {"calls": 1, "usd": None}}},
    ]
    assert summed(steps) == {
        "chunks": 3,
        "usage": {"a": {"calls": 3, "usd": 0.75}, "b": {"calls": 2, "usd": None}},
        "seconds": {"embed": 1.5},
    }
