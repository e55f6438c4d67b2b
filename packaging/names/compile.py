"""Compile ``rag/privacy/lists/compiled.txt.gz``: names of many locales from Faker, folded.

    python packaging/names/compile.py /usr/share/dict/american-english

The dictionary (Debian's ``wamerican``, SCOWL) tells which of the names are English words as well;
spaCy's stop words tell it for other languages. The same versions give the same bytes.
"""

from __future__ import annotations

import gzip
import importlib
import io
import pkgutil
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import faker.providers.person
import spacy.lang
from transliterate import latin

from rag.privacy.words import MARKS, fold, word_set

TARGET = Path(__file__).parents[2] / "rag" / "privacy" / "lists" / "compiled.txt.gz"
_GIVEN = re.compile(r"(?:first|middle|given)\w*_(?:names?\w*|pairs)$")
_SURNAME = re.compile(r"(?:last|sur|unisex_last|male_last)\w*_?(?:names?\w*|pairs)$")
# A dictionary has them (jack, peter out, a jimmy), but with a capital they are persons.
_NAMES_ABOVE_ALL = word_set(
    """
    ada adele aline amir angie ann anna aron barbara barbie barney becky bella ben benny beryl beth
    billy bob bobby bonnie brad brandy brian carlos carmen carol celeste chris christian claire
    clara clement colleen coleen connie curt damian dan dave david davis debby deborah dick dicky
    dolly dolores donna doris dorothy ed eddy edith ella ellen emily eric ernest esther eva felicia
    fernando florence francisco fred garret gabriel geoff george gilbert ginny greg gus guy hank
    hans harriet harry hector helen henry herb hilda howard hugo ian ida irene iris isaac jack
    jacob jake james jan jane janet jean jeff jen jenny jeremy jerry jess jim jimmy jo joan joe
    joel john johnny johnson jon jonathan jose joseph josh joshua joy juan judith judy julia julie
    june karen kate katie keith ken kevin kim kyle larry laura lauren laurie lee len leo leon lewis
    lily linda lisa liz louis louise lucas lucy luis luke lydia marc marcus margaret maria marie
    marion martin marty marvin mary matt matthew max megan mick mickey miguel mike mikhail millie
    minnie molly morris moses muhammad nancy nat nathan ned neil nell nelson nick nicola noah noel
    nora norman olga oliver oscar otto pablo paddy pam pat patricia patrick patty paul paula pedro
    peggy pete peter phil philip phoebe polly rachel ralph randy ray rebecca regina rex richard
    rick ricky rita rob robert robin roger rogers ron ronald rosa rosalind rosemary rosie roy
    rudy russ ruth sally sam samantha samuel sandra sandy sara sarah scott sean sebastian sergio
    sheila sheldon sid simon sophia sophie stacy stella stephanie stephen steve stewart stuart sue
    susan suzie sylvia tammy tanya ted teddy terri terry theo theresa thomas tim timothy tina tobias
    toby tom tommy tony tracy trevor trudy valerie vanessa veronica victor vince vincent vivian
    walter wanda wendy whitney william willie willy winston xavier yvonne zach zoe
    garcia gonzalez hernandez hickey jones lopez lynch martinez rodriguez ruiz sanchez smith
    """
)
# Of other languages (mia, sari, nina are Finnish pronouns) only the shortest stop words count.
_SPOKEN = {"de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "nb"}
_PARTS = re.compile(r"[\s.\-–‐/()]+")
_LETTERS = re.compile(f"(?:[^\\W\\d_]|[{MARKS}])+")
_HEAD = """\
# Compiled by packaging/names/compile.py; do not edit. One line a locale and role, folded words.
# Names: the Faker project, https://github.com/joke2k/faker, copyright (c) 2012 Daniele Faraglia,
# MIT licence: permission is granted, free of charge, to use, copy, modify and distribute it with
# this notice; provided "as is", without warranty of any kind.
# English words among them: SCOWL, copyright 2000-2011 Kevin Atkinson: permission to use, copy,
# modify, distribute and sell the lists and what is made from them, without fee and with this
# notice, "as is" without warranty.
"""


def _submodules(package: Any) -> Iterator[tuple[str, Any]]:
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            yield module.name, importlib.import_module(f"{package.__name__}.{module.name}")


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif hasattr(value, "keys"):
        for key in value:
            yield from _flat(key)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _flat(item)


def _words(names: Iterable[str]) -> Iterator[str]:
    """Yield each word of each name, as it is written and in Latin letters, folded."""
    for name in names:
        for part in _PARTS.split(name):
            for written in (part, latin(part)):
                folded = fold(written)
                if len(folded) > 1 and _LETTERS.fullmatch(folded):
                    yield folded
        if "-" in name:  # El-Sayed is written Elsayed, too
            joined = fold(name.replace("-", ""))
            if joined.isalpha():
                yield joined


def _names(provider: type, role: re.Pattern[str]) -> Iterator[str]:
    for attribute in sorted(dir(provider)):
        value = getattr(provider, attribute)
        if role.match(attribute) and not callable(value):
            yield from _flat(value)


def _feminine(surnames: set[str]) -> Iterator[str]:
    """Yield Polish surnames of women, which Faker makes of men's at run time."""
    for surname in surnames:
        for ending in ("ski", "cki", "dzki"):
            if surname.endswith(ending):
                yield surname[:-1] + "a"


def _english(dictionary: Path) -> set[str]:
    """Return English words, folded: no names by themselves."""
    written = dictionary.read_text(encoding="utf-8").splitlines()
    found = {fold(word) for word in written if word.islower() and word.isalpha()}
    return (found | _stop_words({"en"})) - _NAMES_ABOVE_ALL


def _stop_words(languages: Collection[str] | None) -> set[str]:
    """Return spaCy's stop words, folded; of no language in particular only the shortest."""
    found = set()
    for language, module in _submodules(spacy.lang):
        if languages and language not in languages:
            continue
        try:
            stops = importlib.import_module(f"{module.__name__}.stop_words").STOP_WORDS
        except ModuleNotFoundError:
            continue
        longest = 99 if languages else 2
        found.update(fold(word) for word in stops if word.isalpha() and len(word) <= longest)
    return found


def lines(dictionary: Path) -> Iterator[str]:
    """Yield the file's lines; a word stands once for each role, in the first locale that has it."""
    every: dict[str, set[str]] = {"given": set(), "surname": set()}
    rows = []
    people = list(_submodules(faker.providers.person))
    surnames = {word for _, m in people for word in _words(_names(m.Provider, _SURNAME))}
    roles: tuple[tuple[str, re.Pattern[str], Callable[[set[str]], Iterator[str]]], ...] = (
        ("given", _GIVEN, lambda _: iter(())),
        ("surname", _SURNAME, _feminine),
    )
    for locale, module in people:
        for role, pattern, more in roles:
            found = set(_words(_names(module.Provider, pattern)))
            if locale == "pl_PL":
                found.update(more(set(found)))
            if locale == "en":  # children of one year: surnames, too
                found -= surnames
            fresh = sorted(found - every[role])
            every[role].update(fresh)
            if fresh:
                rows.append(f"{role} {locale}: {' '.join(fresh)}")
    listed = every["given"] | every["surname"]
    yield from rows
    english = _english(dictionary)
    other = (_stop_words(_SPOKEN) | _stop_words(None)) - _NAMES_ABOVE_ALL - english
    yield f"word en: {' '.join(sorted(listed & english))}"
    yield f"word other: {' '.join(sorted(listed & other))}"


def main() -> None:
    text = _HEAD + "\n".join(lines(Path(sys.argv[1]))) + "\n"
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=9) as packed:
        packed.write(text.encode())
    TARGET.write_bytes(buffer.getvalue())
    sys.stdout.write(f"{len(text.split()):,} words, {len(buffer.getvalue()) / 1024:.0f} KiB\n")


if __name__ == "__main__":
    main()
