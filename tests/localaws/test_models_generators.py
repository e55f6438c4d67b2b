"""How a prompt is read and answered, whoever asks."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.models import tools
from localaws.models.catalogue import MODELS
from localaws.models.generators import configured
from localaws.models.generators.passages import read
from localaws.models.prompt import Finish, Inference, Part, Prompt, Said, Turn
from localaws.models.text import _limited, reply, whole

MODEL = MODELS["amazon.nova-lite-v1:0"]
FIRST, SECOND = "The office opens at eight.", "Parental leave is sixteen weeks."
ASKED = "How long is parental leave?"


def prompt(text: str, system: str = "", **more: Any) -> Prompt:
    return Prompt(MODEL, (Turn("user", (Part("text", text),)),), system, **more)


LAYOUTS = {
    "brackets": f"[1] {FIRST}\n[2] {SECOND}\n\n{ASKED}",
    "words": f"Passage 1: {FIRST}\nPassage 2: {SECOND}\n\nQuestion: {ASKED}",
    "headings": f"### Source 1\n{FIRST}\n\n### Source 2\n{SECOND}\n\nQuestion: {ASKED}\nAnswer:",
    "elements": f"<documents><document index='1'>{FIRST}</document>"
    f"<document index='2'>{SECOND}</document></documents>\n<question>{ASKED}</question>",
    "nested": f"<document index='1'><source>a.txt</source><document_content>{FIRST}"
    f"</document_content></document><document index='2'><source>b.txt</source>"
    f"<document_content>{SECOND}</document_content></document>\n\n{ASKED}",
    "ids": f"<search_result><id>1</id><content>{FIRST}</content></search_result>"
    f"<search_result><id>2</id><content>{SECOND}</content></search_result> {ASKED}",
    "context element": f"<context>\n{FIRST}\n\n{SECOND}\n</context>\n\n{ASKED}",
    "context": "Use the following context to answer.\n\n"
    f"Context:\n{FIRST}\n\n{SECOND}\n\nQuestion: {ASKED}\nHelpful Answer:",
    "question first": f"Answer from the context.\nQuestion: {ASKED}\nContext: {FIRST}\n\n{SECOND}\n"
    "Answer:",
    "plain": "Use the following pieces of context to answer the question at the end. If you don't "
    f"know the answer, just say so.\n\n{FIRST}\n\n{SECOND}\n\nQuestion: {ASKED}\nHelpful Answer:",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_passages_are_told_from_the_question_in_every_layout(layout: str) -> None:
    reading = read(prompt(LAYOUTS[layout]))
    assert [(one.label, one.text) for one in reading.passages] == [("1", FIRST), ("2", SECOND)]
    assert reading.question == ASKED


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_sentence_that_answers_is_quoted_from_every_layout(layout: str) -> None:
    assert whole(prompt(LAYOUTS[layout])).text == SECOND
    marked = whole(prompt(LAYOUTS[layout], "Cite the passages."))
    assert marked.text == "Parental leave is sixteen weeks [2]."


def test_passages_may_stand_in_the_system_prompt() -> None:
    system = f"Answer from these, like [1].\n<passage id='hr-7'>{SECOND}</passage>"
    assert whole(prompt(ASKED, system)).text == "Parental leave is sixteen weeks [hr-7]."


def test_a_passage_s_headings_are_not_quoted() -> None:
    text = f"<passage number='1'>\nHandbook › Leave › Parents\n{SECOND}\n</passage>\n\n{ASKED}"
    assert whole(prompt(text)).text == SECOND


def test_a_request_without_passages_is_told_so() -> None:
    assert whole(prompt("Tell me a joke.")).text == (
        "The request gives no passage to quote an answer from."
    )


def test_the_first_glob_that_fits_names_the_generator() -> None:
    setting = "meta.*=model, anthropic.*=extractive, model"
    assert configured(setting, "meta.llama3-8b-instruct-v1:0") == "model"
    assert configured(setting, "anthropic.claude-opus-5") == "extractive"
    assert configured(setting, MODEL.id) == "model"
    assert configured("meta.*=model", MODEL.id) == configured("", MODEL.id) == "extractive"


WORDS = st.text(alphabet="ab \n", max_size=60)


@settings(max_examples=80, deadline=None)
@given(
    pieces=st.lists(WORDS, max_size=8),
    limit=st.integers(1, 30),
    stops=st.lists(st.text(alphabet="ab ", min_size=1, max_size=4), max_size=2),
)
def test_what_is_written_does_not_depend_on_how_it_is_cut(
    pieces: list[str], limit: int, stops: list[str]
) -> None:
    asked = prompt("x", inference=Inference(max_tokens=limit, stop=tuple(stops)))
    cut = reply(_limited(map(Said, pieces), asked, 1))
    whole_text = "".join(pieces)
    joined = reply(_limited([Said(whole_text)] if whole_text else [], asked, 1))
    assert (cut.text, cut.stop_reason, cut.output_tokens) == (
        *(joined.text, joined.stop_reason),
        joined.output_tokens,
    )
    assert whole_text.startswith(cut.text)
    assert not any(stop in cut.text for stop in stops)
    assert cut.output_tokens <= limit


def test_a_run_ends_with_one_finish() -> None:
    pieces = list(_limited([Said("a b"), Finish("max_tokens", 0, 0)], prompt("x"), 7))
    assert pieces == [Said("a"), Said(" b"), Finish("max_tokens", 7, 2)]


_LEAVES = st.one_of(
    st.just({"type": "string"}),
    st.builds(lambda n: {"type": "string", "minLength": n, "maxLength": n + 3}, st.integers(0, 5)),
    st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(-5, 50)),
    st.builds(lambda high: {"type": "number", "maximum": high}, st.integers(-5, 50)),
    st.just({"type": "boolean"}),
    st.just({"type": "string", "format": "date"}),
    st.just({"type": ["null", "integer"]}),
    st.builds(lambda values: {"enum": values}, st.lists(st.text(max_size=5), min_size=1)),
    st.just({"anyOf": [{"type": "null"}, {"type": "number"}]}),
)
_SCHEMAS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda items, n: {"type": "array", "items": items, "minItems": n},
            *(inner, st.integers(0, 3)),
        ),
        st.builds(
            lambda members: {
                "type": "object",
                "properties": members,
                "required": list(members),
                "additionalProperties": False,
            },
            st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=3),
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(members=st.dictionaries(st.text(min_size=1, max_size=8), _SCHEMAS, max_size=4), text=WORDS)
def test_a_filled_input_satisfies_its_schema(members: dict[str, Any], text: str) -> None:
    schema = {"type": "object", "properties": members, "required": list(members)}
    jsonschema.validate(tools.fill(schema, f"{text} Book 3 seats in Ghent on 2026-05-01"), schema)
