"""A source full of identifiers: every format, every hiding place, names of files and folders."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.ingest import documents
from tests.leaks.hiding import BUILDERS
from tests.leaks.identifiers import Planted, identifiers
from tests.leaks.needles import Sought
from tests.leaks.scan import Scanner

ROUNDS = 2
OF_PEOPLE = (
    "author", "last modified by", "creator", "contributor", "manager", "artist", "owner", "by-line",
    "from", "to", "cc", "reply-to", "custom property", "name", "sheet name", "cell", "key",
    "header", "record", "path", "attribute",
)  # fmt: skip
"""Last words of places where a person's name stands alone."""
ABOUT = (" text", " body", " value", "csv cell", " description", " comment")
"""Last words of places that speak of the person whom the file is named after."""
_ORDINARY = {"Street", "Avenue", "Square", "Marine", "Drive", "Close", "Terrace", "Boulevard"}
BLOCKED = "Her passport number is {}, issued in Lisbon. {} asked for a copy."
PASSPORT = "C01X00T478"


@dataclass
class Source:
    """What was planted.

    Attributes:
        missed: What detection does not know in a plain sentence or by itself. How many those may
            be is the business of ``tests/privacy``; here they are counted and not planted, so that
            whatever is found has gone round the gate.
        places: Name of each place, with its document's format, to what stands there.
    """

    root: Path
    missed: list[Planted] = field(default_factory=list)
    places: dict[str, Planted] = field(default_factory=dict)

    @property
    def planted(self) -> list[Planted]:
        return list({one.value: one for one in self.places.values()}.values())

    def scanner(self) -> Scanner:
        """Return a scanner for all of it, and for surnames and street names alone."""
        sought = [Sought(one.value) for one in self.planted]
        sought += [Sought(word, word=True) for word in sorted(set(self.words()))]
        return Scanner([*sought, Sought(PASSPORT)])

    def words(self) -> Iterator[str]:
        for one in self.planted:
            if one.kind == "person":
                yield from re.findall(r"[^\W\d_]{5,}$", one.value)
            elif one.kind == "address":
                street = re.findall(r"[^\W\d_]{6,}", one.value.partition(",")[0])
                yield from [word for word in street if word not in _ORDINARY][:1]


def plant(root: Path) -> Source:
    """Write the source; two documents a format, each text another identifier."""
    source = Source(root)
    people, others = identifiers()
    source.missed = unrecognised([*people, *others])
    person, other = (
        itertools.cycle([one for one in share if one not in source.missed])
        for share in (people, others)
    )

    def put(name: str, place: str) -> str:
        of_people = place.endswith(OF_PEOPLE)
        one = next(person if of_people else other)
        source.places[f"{name}: {place}"] = one
        return one.value if of_people else one.sentence

    for number, (kind, build) in itertools.product(range(ROUNDS), BUILDERS.items()):
        if number and kind in ("png", "jpg"):  # letters in pictures take their time
            continue
        name = put(kind, f"{number} file name")
        subject = source.places[f"{kind}: {number} file name"]

        def inside(place: str, at: str = f"{kind} {number}", of: Planted = subject) -> str:
            # A file that is named after somebody is about them.
            if place.endswith(ABOUT):
                source.places[f"{at}: {place}"] = of
                return of.sentence
            return put(at, place)

        folder = root / "records" / put(kind, f"{number} folder name")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name} {number}.{kind}").write_bytes(build(inside))
    _troubled(root, lambda place: put("trouble", f"{place} name"))
    return source


def unrecognised(planted: list[Planted]) -> list[Planted]:
    """Return identifiers that the default profile does not find whole."""
    from rag.config import Privacy
    from rag.privacy.gate import Masker
    from rag.privacy.policy import resolve

    gate = Masker(resolve(Privacy()), b"k" * 32)
    # As a sentence, as a property, and as a file is named.
    texts = [[one.sentence, *([one.value, f"records/{one.value}/{one.value} 1.txt"]
                              if one.kind == "person" else [])] for one in planted]  # fmt: skip
    masked = iter(gate.mask_texts([text for some in texts for text in some]))
    missed = []
    for one, some in zip(planted, texts, strict=True):
        left = " ".join(str(getattr(next(masked), "text", "")) for _ in some)
        words = re.findall(r"\w{3,}", one.value)
        rest = one.sentence.replace(one.value, "")
        if any(word in left and word not in rest for word in words if word != "txt"):
            missed.append(one)
    return missed


def _troubled(root: Path, put) -> None:  # type: ignore[no-untyped-def]
    """Write documents that cannot be indexed, and a sidecar that cannot be understood."""
    whole = documents.docx(f"{put('cut')} was here.")
    (root / f"{put('broken')}.docx").write_bytes(whole[: len(whole) // 2])
    (root / f"{put('locked')}.pdf").write_bytes(documents.pdf(1, password="x"))
    (root / f"{put('empty')}.txt").write_bytes(b"")
    (root / f"{put('blocked file')}.txt").write_text(
        BLOCKED.format(PASSPORT, put("blocked")), encoding="utf-8"
    )
    sided = root / f"{put('sidecar')}.txt"
    sided.write_text("The pump in the boiler room is checked every second week.\n")
    sided.with_name(f"{sided.name}.acl.yaml").write_text(f"allow: {{who: {put('rights')}}}\n")


def main() -> None:
    """Say which places' identifiers are still found in ``python -m tests.leaks.canary FOLDER``."""
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        source = plant(Path(folder))
    for found in source.scanner().scan([Path(each) for each in sys.argv[1:]]):
        sys.stdout.write(f"{found}\n")


if __name__ == "__main__":
    main()
