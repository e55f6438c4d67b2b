"""Which documents name a person, and a masked document without that person."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.ledger import documents, quarantine
from rag.ledger.entries import DocumentEntry
from rag.masked import Masked, configured, fixed
from rag.privacy.erased import birth, stands_for
from rag.privacy.pseudonym import PERSON, identity, person_words
from rag.records import MaskedDocument, MaskedElement

if TYPE_CHECKING:
    from rag.ingest.context import Context

_ADDRESSES = re.compile(r"\S{1,100}@\S{1,100}|[,;:<>()]")
_NAME, _ADDRESS = fixed("<PERSON>"), fixed("<EMAIL_ADDRESS>")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a corpus knows them: by pseudonyms and keyed hashes.

    Attributes:
        pseudonyms: In masked text: of each spelling of the name, and of each address.
        asked: A keyed hash of the names as they were asked for.
        born: Hash of the date of birth; empty: it is not told.
        words: Of each name, hashes of its words.
        pattern: Finds the pseudonyms.
        similar: Pseudonyms of longer names with all these words: somebody else's, or theirs.
    """

    pseudonyms: tuple[Masked, ...]
    asked: str
    born: str
    words: tuple[frozenset[str], ...]
    pattern: re.Pattern[str]
    similar: tuple[Masked, ...] = ()

    def named_in(self, data: bytes) -> bool:
        """Whether a text holds one of the pseudonyms."""
        return any(
            one.encode() in data and self.pattern.search(data.decode()) for one in self.pseudonyms
        )


def person(context: Context, names: Sequence[str], emails: Sequence[str], born: str) -> Person:
    """Return somebody by their names as people write them; all raw, none is kept.

    The vault is asked, too: a spelling in which an address was taken for a part of the name
    stands under a pseudonym of its own.

    Args:
        born: YYYY-MM-DD, or empty.

    Raises:
        VaultFailed: The vault does not open.
    """
    key, sealer = context.key, context.sealer
    asked = [stands_for(key, "PERSON", one) for one in names]
    asked += [stands_for(key, "EMAIL_ADDRESS", one) for one in emails]
    with context.ledger.read() as db:
        known = context.vault.spellings(db, "PERSON")
    wanted = {identity(one) for one in names}
    also = [
        configured(pseudonym)
        for pseudonym, spelt in known
        if "@" in spelt and identity(_ADDRESSES.sub(" ", spelt)) in wanted
    ]
    pseudonyms = tuple(dict.fromkeys([*asked, *also]))
    words = [frozenset(person_words(one)) for one in names]
    return Person(
        pseudonyms=pseudonyms,
        asked=sealer.long_tag("erasure", "\0".join([*sorted(set(asked)), born])),
        born=birth(sealer, born) if born else "",
        words=tuple(frozenset(map(sealer.tag, one)) for one in words),
        pattern=re.compile(rf"(?:{'|'.join(map(re.escape, pseudonyms))})(?![a-z2-7])"),
        similar=tuple(
            sorted(
                {
                    configured(pseudonym)
                    for pseudonym, spelt in known
                    if pseudonym not in pseudonyms
                    and any(len(one) > 1 and one < set(person_words(spelt)) for one in words)
                }
            )
        ),
    )


@dataclass(frozen=True, slots=True)
class Named:
    """Listed documents that name a person, by id.

    Attributes:
        about: The person; with a date of birth: those that say it.
        namesakes: With a date of birth: those that say only others.
        undecided: With a date of birth: those that say none.
        lost: Whose masked form is not kept, so that it is not known whom they name.
        waiting: In quarantine only, by a name that names the person.
    """

    about: tuple[str, ...] = ()
    namesakes: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether others of that name stay, or may."""
        return bool(self.namesakes or self.undecided)

    def unshared(self, who: Person) -> list[Masked]:
        """Return the person's pseudonyms that are nobody else's."""
        return [one for one in who.pseudonyms if not (self.shared and is_name(one))]


def is_name(pseudonym: str) -> bool:
    """Whether it stands for a name, which others may have, too."""
    return pseudonym.startswith("PERSON_")


def find(context: Context, who: Person) -> Named:
    """Look through all documents of the corpus, in the ledger and the working store."""
    with context.ledger.read() as db:
        entries = documents.entries(db, context.corpus)
        waits = quarantine.entries(db, context.corpus)
    groups: dict[str, list[DocumentEntry]] = defaultdict(list)
    for one in entries:
        groups[one.root_id].append(one)
    holding = set(context.store.masked_with(who.named_in))
    found: dict[str, list[str]] = defaultdict(list)
    for root, group in groups.items():
        listed = next((one for one in group if one.document_id == root), None)
        if listed is None:
            continue
        artifact = artifact_of(context, listed)
        named = any(who.pattern.search(f"{one.name}\n{one.title}") for one in group)
        if named or artifact in holding:
            masked = masked_of(context, listed)
            births = set(_births(masked)) if masked else set()
            found[_kind(who, births)].append(root)
        elif masked_of(context, listed) is None:
            found["lost"].append(root)
    waiting = [
        one.root_id
        for one in waits
        if one.root_id not in groups and not who.born and who.pattern.search(one.name)
    ]
    return Named(
        about=tuple(found["about"]),
        namesakes=tuple(found["namesakes"]),
        undecided=tuple(found["undecided"]),
        lost=tuple(found["lost"]),
        waiting=tuple(dict.fromkeys(waiting)),
    )


def _kind(who: Person, births: set[str]) -> str:
    if not who.born or who.born in births:
        return "about"
    return "namesakes" if births else "undecided"


def _births(document: MaskedDocument) -> Iterator[str]:
    yield from document.births
    for one in document.attachments:
        if isinstance(one, MaskedDocument):
            yield from _births(one)


def artifact_of(context: Context, entry: DocumentEntry) -> str:
    """Return the name of a listed document's masked form, by the steps that made it."""
    return f"{entry.content_id}-{context.made_by(entry.sealed_key, entry.fingerprints)}"


def masked_of(context: Context, entry: DocumentEntry) -> MaskedDocument | None:
    """Return a listed document's masked form, where it is kept."""
    return context.store.masked(
        entry.content_id, context.made_by(entry.sealed_key, entry.fingerprints)
    )


def without(document: MaskedDocument, who: Person, also: Mapping[str, Masked]) -> MaskedDocument:
    """Return a masked document in which a person is anybody.

    Hashes of the words of the name go too, unless others are named beside: a file's new name is
    looked through by them, and two persons may share a word.

    Args:
        also: Surrogates of the person's (dates, numbers), and what stands for them now.
    """

    def text(one: Masked) -> Masked:
        for old, new in also.items():
            if old in one:
                one = one.replace(old, new)
        return one.sub(who.pattern, _anybody)

    def element(one: MaskedElement) -> MaskedElement:
        return replace(
            one,
            text=text(one.text),
            section=tuple(map(text, one.section)),
            rows=tuple(tuple(map(text, row)) for row in one.rows),
            label=text(one.label),
        )

    elements = tuple(map(element, document.elements))
    others = any(PERSON.search(one.text) for one in elements)
    words = frozenset[str]().union(*who.words)
    return replace(
        document,
        title=text(document.title),
        elements=elements,
        name_tokens=tuple(one for one in document.name_tokens if others or one not in words),
        births=tuple(one for one in document.births if one != who.born),
        aliases=tuple(one for one in document.aliases if not set(one) & set(who.pseudonyms)),
        attachments=tuple(
            without(one, who, also)
            if isinstance(one, MaskedDocument)
            else replace(one, name=text(one.name))
            for one in document.attachments
        ),
        name=text(document.name),
    )


def renamed(name: Masked, who: Person) -> Masked:
    """Return a document's masked name without the person."""
    return name.sub(who.pattern, _anybody)


def _anybody(found: re.Match[str]) -> Masked:
    return _NAME if found[0].startswith("PERSON") else _ADDRESS
