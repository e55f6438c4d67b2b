"""The model of persons and addresses that comes with the package."""

from __future__ import annotations

import hashlib
import json

import pytest

from rag.privacy.tagging import ner, tagger

PERSONS = {
    "Siobhan called while you were out.": ["Siobhan"],
    "please forward it to oluwaseun adeyemi-cole today": ["oluwaseun adeyemi-cole"],
    "Minutes taken by Ntombizodwa van der Vyver.": ["Ntombizodwa van der Vyver"],
    "Dear Mr Tchaikowitz,\n\nyour parcel is here.\n\nYours,\nFreydis": ["Tchaikowitz", "Freydis"],
    "Was it Quillfeather who lost the keys?": ["Quillfeather"],
}
ADDRESSES = {
    "Send it to 14 Heron Mews, Flat 2, Bristol BS1 4QA, UK by Friday.": (
        "14 Heron Mews, Flat 2, Bristol BS1 4QA, UK"
    ),
    "Meine Anschrift: Amselweg 7b\n48149 Münster\n\nDanke!": "Amselweg 7b\n48149 Münster",
    "I live at 2290 Quail Hollow Rd, Apt 9, Boise, ID 83702 now": (
        "2290 Quail Hollow Rd, Apt 9, Boise, ID 83702"
    ),
    "she moved to calle del olivo 18, 29008 málaga": "calle del olivo 18, 29008 málaga",
}
NEITHER = (
    "Lufthansa and Deutsche Bank opened an office in Vienna in March.",
    "My Toyota Corolla failed its inspection on Tuesday.",
    "The Travel Expense Policy applies from 1 May.",
    "Patients with Parkinson's disease are seen in Ward 7.",
)
SURE = 0.7


@pytest.fixture(scope="module")
def model() -> tagger.Tagger:
    return ner.load()


def read(model: tagger.Tagger, text: str, kind: str) -> list[str]:
    return [
        text[one.start : one.end] for one in ner.entities(model, [text])[0] if one.label == kind
    ]


def places(found: list[list[ner.Entity]]) -> list[list[tuple[int, int, str]]]:
    return [[(one.start, one.end, one.label) for one in ranges] for ranges in found]


def test_the_model_is_the_one_that_its_figures_describe() -> None:
    figures = json.loads(tagger.FILE.with_name("metrics.json").read_text("utf-8"))
    assert hashlib.sha256(tagger.FILE.read_bytes()).hexdigest() == figures["weights"]


@pytest.mark.parametrize(("text", "names"), PERSONS.items())
def test_persons_are_found_alone_in_lower_case_and_at_the_start(
    model: tagger.Tagger, text: str, names: list[str]
) -> None:
    assert read(model, text, "PERSON") == names


@pytest.mark.parametrize(("text", "address"), ADDRESSES.items())
def test_an_address_is_found_whole(model: tagger.Tagger, text: str, address: str) -> None:
    assert read(model, text, "STREET_ADDRESS") == [address]


@pytest.mark.parametrize("text", NEITHER)
def test_organisations_places_products_and_headings_are_left(
    model: tagger.Tagger, text: str
) -> None:
    assert [one for one in ner.entities(model, [text])[0] if one.score > SURE] == []


def test_a_text_reads_the_same_alone_and_in_company_and_after_others(
    model: tagger.Tagger,
) -> None:
    texts = [*PERSONS, *ADDRESSES, *NEITHER, ""]
    together = places(ner.entities(model, texts))
    alone = [ner.entities(model, [text])[0] for text in reversed(texts)]
    assert places(alone) == together[::-1]
    fresh = tagger.Tagger(model.arrays)
    assert places(ner.entities(fresh, texts)) == together


def test_where_a_name_stands_in_a_long_text_does_not_matter(model: tagger.Tagger) -> None:
    line = "Is Thandeka Mokoena in the office today?\n\n"
    text = line * 300
    found = ner.entities(model, [text])[0]
    assert [text[one.start : one.end] for one in found] == ["Thandeka Mokoena"] * 300


def test_what_is_masked_already_is_one_sign_however_long_it_is() -> None:
    short, long = (tagger.tokens(f"Call {mask} at noon") for mask in ("\ufffc", "\ufffc" * 15))
    assert [token.text for token in short] == [token.text for token in long]
