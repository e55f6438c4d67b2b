"""Detection on generated texts does not fall behind what it has reached (`bench.privacy`)."""

from __future__ import annotations

import re

import pytest

from bench.privacy.detectors import found_by
from bench.privacy.generate import Case, Part, cases, documents, families, plain
from bench.privacy.measure import Score, score
from rag.privacy.gate import Masker

SEED = 20
PARTS: tuple[Part, Part] = ("dev", "held")


def measured(gate: Masker, part: Part) -> Score:
    texts = [*cases(part, 80, SEED), *documents(part, 1, SEED)]
    kinds = {kind for kind, action in gate.policy.actions.items() if action != "keep"}
    return score(texts, found_by(gate, [case.text for case in texts]), kinds)


@pytest.mark.parametrize(("part", "whole", "exact"), [("dev", 0.97, 0.96), ("held", 0.94, 0.93)])
def test_direct_identifiers_are_masked_whole_and_little_else_is(
    gate: Masker, part: Part, whole: float, exact: float
) -> None:
    result = measured(gate, part)
    assert result.direct.spans > 120
    assert result.direct.share >= whole
    assert result.precision >= exact


@pytest.mark.parametrize("part", PARTS)
def test_prose_with_nothing_personal_stays_readable(gate: Masker, part: Part) -> None:
    texts = plain(part, traps=False)
    found = found_by(gate, texts)
    assert sum(map(len, found)) <= 0.004 * sum(len(text.split()) for text in texts)


@pytest.mark.parametrize("part", PARTS)
def test_the_labels_are_where_the_values_are(part: Part) -> None:
    texts: list[Case] = cases(part, 150, SEED)
    assert texts == cases(part, 150, SEED)
    for case in texts:
        places = [place for span in case.spans for place in (span.start, span.end)]
        assert places == sorted(places)
        for span in case.spans:
            value = case.text[span.start : span.end]
            assert value.strip()
            assert not re.search(r"\{[a-z]+\d?\}", value)


def test_the_parts_share_neither_families_nor_templates() -> None:
    names, templates = [], []
    for part in PARTS:
        shelf = [family for family in families(part) if family.name != "paragraphs"]
        names.append({family.name for family in shelf})
        whole = {template for family in shelf for template in family.templates}
        templates.append({template for template in whole if len(template) > 30})
    assert names[0].isdisjoint(names[1])
    assert templates[0].isdisjoint(templates[1])
    assert set(plain("dev")).isdisjoint(plain("held"))
