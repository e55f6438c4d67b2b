"""One spelling of a name's word for all the ways in which it is written.

Not for people to read: it goes into the keyed hash of a pseudonym. What is taken for the same is
what one name becomes between alphabets and keyboards, not what sounds alike: ``Müller``,
``Mueller`` and ``Muller`` are one, and so are ``Sergey``, ``Sergei`` and ``Сергей``; ``Meier`` and
``Meyer`` are two.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SOUNDS = """
    аa бb вv гg дd еe ёe жzh зz иi йi кk лl мm нn оo пp рr сs тt уu фf хh цts чch шsh щshch ъ ыy ь
    эe юyu яya іi їi єe ґg ђd јj љlj њnj ћc џdz ўu
    αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υi φf χh ψps ωo
"""
_ROMAN = str.maketrans({pair[0]: pair[1:] for pair in _SOUNDS.split()})
_ALIKE = str.maketrans("авекмнорстухіјѕԁԛԝαβεηικνορτυχ", "abekmhopctyxijsdqwabenikvoptux")
_LATIN = re.compile(r"[a-z]")
_FOREIGN = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")

_SPELT = (
    (re.compile(r"dj"), "d"),  # Đoković
    (re.compile(r"kh"), "h"),  # Mikhail
    (re.compile(r"([aou])e(?!l?$)"), r"\1"),  # Jörg, Sørensen, Müller; not Michael
    (re.compile(r"aa"), "a"),  # Åkesson
    (re.compile(r"^ye"), "e"),  # Yelena
    (re.compile(r"(?<=..)[eiy]?[iyj]$"), "i"),  # Sergey, Dmitrij, Natalii
    (re.compile(r"iya$"), "ia"),  # Mariya
)
_TRANSLITERATED = {
    form: forms.split()[0]
    for forms in (
        "muhammad mohammed mohamed mohammad mohamad muhammed mohamet muhamed mahomet",
        "ahmad ahmed ahmet achmed",
        "husain hussein hussain husein hossein hosein husayn",
        "hasan hassan",
        "yusuf youssef yousef yusef yousuf youssouf yusof",
        "abdullah abdallah abdulla abdalla",
        "abdurrahman abdulrahman abderrahman abdelrahman abdurahman",
        "fatima fatimah fatma fatema",
        "aisha ayesha aysha aicha aischa",
        "ibrahim ebrahim ibraheem",
        "mahmud mahmoud mahmood",
        "omar umar omer",
        "othman uthman osman usman",
        "khalid khaled halid haled",
        "zaynab zainab zeinab zeynep",
        "aleksandr alexander aleksander alexandr",
        "aleksei alexei aleksey alexey alexej alexi aleksi",
        "evgeni evgeny yevgeny yevgeni evgenii jewgeni jevgeni",
        "yuri iuri juri jurij yury",
        "yulia iulia julia julija yuliya",
        "chaikovski tchaikovsky tschaikowski chaikovsky",
        "ksenia xenia kseniya",
        "maksim maxim",
        "viktor victor",
    )
    for form in forms.split()
}


@lru_cache(maxsize=65_536)
def spelled(folded: str) -> str:
    """Return the one spelling of a folded word (see `rag.privacy.words.fold`)."""
    word = _latin(folded)
    word = _TRANSLITERATED.get(word, word)
    if len(word) > 3:
        for shape, spelling in _SPELT:
            word = shape.sub(spelling, word)
    return word


def _latin(word: str) -> str:
    """Write Cyrillic and Greek in Latin letters; among Latin ones they are there for their look."""
    if not _FOREIGN.search(word):
        return word
    return (
        word.translate(_ALIKE)
        if _LATIN.search(word)
        else word.replace("ου", "ou").translate(_ROMAN)
    )
