"""Claims that are known to be true or false of a text: paraphrases by rule, and corruptions.

For fitting and judging the check of answers. `spoken_of` makes them of any sentences, `frames` of
generated paragraphs, whose statements can be said in several ways. Nothing is a person's.
"""
# ruff: noqa: E501

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.answer.polarity import CONTRARIES
from rag.privacy.pseudonym import MASK
from rag.sentences import sentences


def _words(text: str) -> list[str]:
    return text.split()


Op = Callable[[str, random.Random], str | None]


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim about a passage.

    Attributes:
        passage: The text that it is to be judged by.
        true: Whether the passage says so.
        how: What was done to the sentence that it is made of.
        group: Of texts that must not be on both sides of a split.
    """

    passage: str
    text: str
    true: bool
    how: str
    group: str


_SYNONYMS = _words(
    """
staff=employees employees=staff begin=start start=begin begins=starts starts=begins help=assist buy=purchase
purchase=buy show=display keep=retain kept=retained retained=kept report=notify send=submit
submitted=sent sent=submitted get=receive receive=get receives=gets needed=required required=needed
must=have|to shall=must about=roughly approximately=about yearly=annually annually=yearly
each=every every=each large=big big=large small=little quickly=fast ill=sick sick=ill
doctor=physician physician=doctor nurse=carer use=utilise used=utilised ask=request
supervisor=manager manager=supervisor company=firm firm=company bank=institution customer=client
customers=clients client=customer clients=customers car=vehicle vehicle=car check=verify
checked=verified verify=check document=record documents=records near=close|to because=since also=additionally
however=yet but=however finished=completed completed=finished made=produced produced=made
build=construct built=constructed constructed=built found=discovered discovered=found
important=significant significant=important often=frequently usually=normally normally=usually
whole=entire complete=finish main=principal principal=main error=mistake errors=mistakes
city=town town=city people=persons children=kids problem=issue issue=problem area=region region=area
part=portion total=sum live=reside lives=resides founded=established established=founded
called=named named=called known=recognised create=make created=made given=handed paid=remunerated
wards=units rooms=chambers patients=people choose=select chosen=selected allowed=permitted
permitted=allowed forbidden=prohibited prohibited=forbidden inform=notify informed=notified
immediately=at|once later=afterwards first=initially monthly=every|month weekly=every|week
daily=every|day replaced=exchanged fee=charge charge=fee leave=holiday journey=trip trip=journey
"""
)
_SYNONYM = {one.split("=")[0]: one.split("=")[1].replace("|", " ") for one in _SYNONYMS}
_ONES = _words("zero one two three four five six seven eight nine ten eleven twelve")
_MONTHS = _words(
    "January February March April May June July August September October November December"
)
_AUX = re.compile(
    r"\b(is|are|was|were|must|may|can|should|will|has been|have been|had|could|would|shall)\b(?! not)"
)
_NOT = re.compile(r"\b(is|are|was|were|must|may|can|should|will|do|does|did|could|would) not\b")
_FABRICATED = (
    ", and this also applies to contractors abroad",
    ", which costs 40 euros a month",
    ", and a written form must be sent to the head office",
    ", and violations lead to dismissal",
    ", because the law of 2019 demands it",
    ", and visitors receive a free lunch",
    ", according to the finance director",
    ", and the garden is closed meanwhile",
    ", as the committee decided unanimously",
    ", mainly in the northern branches",
    ", and it was named after a famous painter",
    " in order to save energy",
    " for all members of the family",
    " at the main entrance of the station",
    " unless a judge objects",
)
_INTROS = ("According to the text, ", "In general, ", "As stated, ", "Note that ", "Here, ")


def _lowered(sentence: str) -> str:
    first = sentence.split(" ", 1)[0]
    return sentence if first.isupper() or MASK.match(first) else sentence[0].lower() + sentence[1:]


def _synonyms(text: str, rng: random.Random) -> str | None:
    words = re.split(r"(\W+)", text)
    places = [at for at, word in enumerate(words) if word.lower() in _SYNONYM]
    if not places:
        return None
    for at in rng.sample(places, min(len(places), rng.randint(1, 3))):
        new = _SYNONYM[words[at].lower()]
        words[at] = new.capitalize() if words[at][0].isupper() else new
    return "".join(words)


def _numbers_said(text: str, rng: random.Random) -> str | None:
    def spelled(match: re.Match[str]) -> str:
        return _ONES[int(match[0])]

    new = re.sub(r"(?<![\d.,:/-])\b(?:[2-9]|1[0-2])\b(?![\d.,:/%-]\d|%)", spelled, text)
    new = re.sub(r"\b(\d{1,3}),(\d{3})\b", r"\1\2", new)
    new = re.sub(r"(\d) ?%", r"\1 percent", new) if "%" in new else new.replace(" percent", "%")
    new = re.sub(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)})\b", r"\2 \1", new)
    if new == text:
        words = "|".join(_ONES[2:])
        new = re.sub(rf"\b({words})\b(?!-)", lambda m: str(_ONES.index(m[0])), text)
    return new if new != text else None


def _said_so(text: str, rng: random.Random) -> str | None:
    return rng.choice(_INTROS) + _lowered(text)


def _moved(text: str, rng: random.Random) -> str | None:
    match = re.match(
        r"((?:In|At|On|From|After|Before|For|During|Since|If|When)\b[^,]{4,50}), (.+)\.$", text
    )
    if match:
        return f"{match[2][0].upper()}{match[2][1:]} {_lowered(match[1])}."
    match = re.match(
        r"(.{20,}?) ((?:in|at|on|from|after|before|during|since) [\w ]{4,30})\.$", text
    )
    return f"{match[2][0].upper()}{match[2][1:]}, {_lowered(match[1])}." if match else None


def _shortened(text: str, rng: random.Random) -> str | None:
    if re.search(r"\b(?:if|unless|except|only|not|nor|either|may|some)\b", text):
        return None
    cut = [m.start() for m in re.finditer(r"(?:, (?:and|which|who|while)|;| and) ", text)]
    cut = [at for at in cut if len(text[:at].split()) >= 5]
    return f"{text[: rng.choice(cut)].rstrip(',;')}." if cut else None


def _reworded(text: str, rng: random.Random) -> str | None:
    for pattern, new in rng.sample(_REWORDINGS, len(_REWORDINGS)):
        made = re.sub(pattern, new, text)
        if made != text:
            return made
    return None


_REWORDINGS = [
    (r"\bmust\b(?! not)", "has to"),
    (r"\bmust be\b", "is required to be"),
    (r"\bmust not\b", "is not allowed to"),
    (r"\bmay not\b", "must not"),
    (r"\bis not\b", "isn't"),
    (r"\bare not\b", "aren't"),
    (r"\bdoes not\b", "doesn't"),
    (r"\bat least (\d+|two|three|four|five)\b", r"no fewer than \1"),
    (r"\bwithin (\d+|two|three|four|five)\b", r"no later than \1"),
    (r"\bat most (\d+)", r"up to \1"),
    (r"\bmore than\b", "over"),
    (r"\bless than\b", "under"),
    (r"\bfrom (\d[\d:]*) to (\d[\d:]*)\b", r"between \1 and \2"),
    (r"\bThe\b", "A"),
    (r"\ball\b", "every one of the"),
    (r"\b(\w+)'s (\w+)\b", r"\2 of \1"),
    (r"\bis used\b", "serves"),
    (r" per ", " a "),
    (r"\ba year\b", "per year"),
    (r"\ba month\b", "per month"),
    (r"\ba day\b", "per day"),
]
TRUE: tuple[Op, ...] = (
    _synonyms,
    _numbers_said,
    _said_so,
    _moved,
    _shortened,
    _reworded,
    _synonyms,
)


def _number(text: str, rng: random.Random) -> str | None:
    found = list(re.finditer(r"\d+", MASK.sub(lambda m: "x" * len(m[0]), text)))
    words = list(re.finditer(rf"\b(?:{'|'.join(_ONES[2:])})\b", text, re.IGNORECASE))
    if not found and not words:
        return None
    one = rng.choice(found + words)
    if one[0].isdigit():
        new = one[0]
        while new == one[0]:
            new = str(max(1, int(one[0]) + rng.choice([-10, -5, -2, -1, 1, 2, 5, 10, int(one[0])])))
    else:
        new = rng.choice([word for word in _ONES[2:] if word != one[0].lower()])
    return text[: one.start()] + new + text[one.end() :]


def _swapped_for(*groups: str) -> Op:
    sets = [group.split() for group in groups]

    def op(text: str, rng: random.Random) -> str | None:
        words = re.split(r"(\W+)", text)
        places = [(at, own) for at, word in enumerate(words) for own in sets if word.lower() in own]
        if not places:
            return None
        at, own = rng.choice(places)
        new = rng.choice([one for one in own if one != words[at].lower()])
        words[at] = new.capitalize() if words[at][0].isupper() else new
        return "".join(words)

    return op


_unit = _swapped_for(
    "seconds minutes hours days weeks months years",
    "second minute hour day week month year",
    "euro dollar pound",
    "euros dollars pounds",
    "daily weekly monthly annual",
    "mg kg ml",
    "km miles metres",
    "percent euros",
)
_month = _swapped_for(
    " ".join(_MONTHS).lower(), "monday tuesday wednesday thursday friday saturday sunday"
)
_quantifier = _swapped_for(
    "all some most no", "always sometimes never", "every no", "many few", "both neither"
)
_hedge = _swapped_for("must may", "should must", "can must", "will might", "could will", "may will")


def _flipped(*pairs: tuple[str, str]) -> Op:
    def op(text: str, rng: random.Random) -> str | None:
        fitting = [pair for pair in pairs if re.search(rf"\b{pair[0]}\b", text)]
        if not fitting:
            return None
        old, new = rng.choice(fitting)
        return re.sub(rf"\b{old}\b", new, text, count=1)

    return op


_bound = _flipped(
    ("at least", "at most"), ("at most", "at least"), ("up to", "at least"), ("more than", "less than"),
    ("less than", "more than"), ("within", "after"), ("minimum", "maximum"), ("maximum", "minimum"),
    ("before", "after"), ("after", "before"), ("over", "under"), ("no later than", "no earlier than"),
    ("at least", "exactly"), ("up to", "exactly"),
)  # fmt: skip


def _negated(text: str, rng: random.Random) -> str | None:
    if _NOT.search(text):
        return _NOT.sub(r"\1", text, count=1)
    found = list(_AUX.finditer(text))
    if not found:
        return None
    one = found[0]
    return f"{text[: one.end()]} not{text[one.end() :]}"


def _antonym(text: str, rng: random.Random) -> str | None:
    words = re.split(r"(\W+)", text)
    places = [at for at, word in enumerate(words) if word.lower() in CONTRARIES]
    if not places:
        return None
    at = rng.choice(places)
    new = rng.choice(sorted(CONTRARIES[words[at].lower()]))
    words[at] = new.capitalize() if words[at][0].isupper() else new
    return "".join(words)


def _turned(text: str, rng: random.Random) -> str | None:
    """Swap two of a kind: masks, names, numbers, else what stands on either side of a verb."""
    for pattern in (MASK.pattern, r"(?<=[a-z,] )[A-Z][a-z]{2,}\b", r"(?<![\w.,])\d+(?![\w.,]\d)"):
        found = list(re.finditer(pattern, text))
        if len({one[0] for one in found}) > 1:
            one, two = rng.sample(found, 2)
            if one[0] == two[0]:
                continue
            one, two = sorted((one, two), key=lambda m: m.start())
            if _LISTED.fullmatch(text, one.end(), two.start()):
                continue
            return (
                text[: one.start()]
                + two[0]
                + text[one.end() : two.start()]
                + one[0]
                + text[two.end() :]
            )
    found = [
        one
        for one in re.finditer(r"\b(?:the|an?|each|every) ([a-z]{3,})\b", text, re.IGNORECASE)
        if not _JOINS.match(text, one.end())
    ]
    pairs = [(one, two) for one, two in pairwise(found) if one[1].lower() != two[1].lower()]
    if not pairs:
        return None
    one, two = rng.choice(pairs)
    first = f"{two[0][0].upper()}{two[0][1:]}" if one[0][0].isupper() else two[0]
    second = f"{one[0][0].lower()}{one[0][1:]}"
    return f"{text[: one.start()]}{first}{text[one.end() : two.start()]}{second}{text[two.end() :]}"


_JOINS = re.compile(r" (?:and|or|as well as) ")
_LISTED = re.compile(r",? ?(?:and |or )?")
"""What stands on either side of these may change places."""


def _added(text: str, rng: random.Random) -> str | None:
    return text.rstrip(".") + rng.choice(_FABRICATED) + "."


def _only(text: str, rng: random.Random) -> str | None:
    match = re.search(r"\b(?:by|to|for|in|on|from|with)\b", text)
    return (
        f"{text[: match.start()]}only {text[match.start() :]}"
        if match and match.start() > 8
        else None
    )


FALSE: dict[str, Op] = {
    "number": _number,
    "unit": _unit,
    "date": _month,
    "quantifier": _quantifier,
    "hedge": _hedge,
    "bound": _bound,
    "negation": _negated,
    "antonym": _antonym,
    "turned": _turned,
    "added": _added,
    "only": _only,
}


def spoken_of(
    passages: Sequence[tuple[str, str]], rng: random.Random, each: int = 2
) -> list[Claim]:
    """Return claims about passages.

    Args:
        passages: Text and group of each.
        each: True and false claims a sentence.
    """
    whole = [(text, group, sentence) for text, group in passages for sentence in sentences(text)]
    whole = [one for one in whole if 5 <= len(one[2].split()) <= 45 and " | " not in one[2]]
    vocabulary = sorted({w for _, _, s in whole for w in re.findall(r"\b[a-z]{5,}\b", s)})
    capitals = sorted(
        {w for _, _, s in whole for w in re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b", s)}
    )
    masks = sorted({w for _, _, s in whole for w in MASK.findall(s) if w.startswith("PERSON_")})
    made = []
    for text, group, raw in whole:
        sentence = " ".join(raw.split())
        for _ in range(each):
            said, how = paraphrased(sentence, rng)
            made.append(Claim(text, said, True, how, group))
        ops = list(FALSE.items())
        ops += [
            ("word", replaced(r"\b[a-z]{5,}\b", vocabulary)),
            ("name", replaced(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b", capitals)),
            ("pseudonym", replaced(r"PERSON_\w{8}", masks)),
            ("elsewhere", lambda _, rng: rng.choice(whole)[2]),
        ]
        rng.shuffle(ops)
        wrong = 0
        for how, op in ops:
            said = paraphrased(sentence, rng)[0] if rng.random() < 0.5 else sentence
            false = op(said, rng)
            if false and false != said and " ".join(false.split()) not in " ".join(text.split()):
                made.append(Claim(text, " ".join(false.split()), False, how, group))
                wrong += 1
            if wrong == each:
                break
    return made


def paraphrased(sentence: str, rng: random.Random, *, whole: bool = False) -> tuple[str, str]:
    """Return a sentence in other words, and how; as it is where no rule fits.

    Args:
        whole: Nothing of it is left out.
    """
    done = []
    for op in rng.sample(TRUE, rng.choice([0, 1, 2, 2, 3])):
        if whole and op is _shortened:
            continue
        new = op(sentence, rng)
        if new:
            sentence, done = new, [*done, op.__name__.strip("_")]
    return sentence, "+".join(done) or "as it is"


def replaced(pattern: str, by: Sequence[str]) -> Op:
    def op(text: str, rng: random.Random) -> str | None:
        found = list(re.finditer(pattern, text))
        if not found or len(by) < 2:
            return None
        one = rng.choice(found)
        new = rng.choice([word for word in by if word != one[0]])
        return text[: one.start()] + new + text[one.end() :]

    return op


# Generated paragraphs: statements by field, each in several ways; {x} are filled alike in all.
FIELDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "clinic": (
        ("{A} heads the {W} ward.", "The {W} ward is headed by {A}.", "The head of the {W} ward is {A}."),
        ("{A} reports to {B}.", "{B} is the superior of {A}.", "{A}'s superior is {B}."),
        ("Visitors may stay in the {W} ward from {t} to {u}.",
         "Visiting hours in the {W} ward are {t} to {u}.",
         "The {W} ward admits visitors between {t} and {u}."),
        ("The {D} is given {n} times a day.", "Patients get the {D} {n} times daily.",
         "{n} daily doses of the {D} are given."),
        ("Records of the {W} ward are kept for {m} years.",
         "The {W} ward keeps its records {m} years.", "Records are retained for {m} years in the {W} ward."),
        ("No patient of the {W} ward may leave the building alone.",
         "Patients in the {W} ward must not go out of the building by themselves.",
         "Leaving the building alone is forbidden for patients of the {W} ward."),
    ),
    "bank": (
        ("A transfer over {m},000 euros needs the approval of {A}.",
         "{A} must approve transfers of more than {m},000 euros.",
         "Transfers above {m}000 euros have to be approved by {A}."),
        ("The {W} account pays {n} percent interest.", "Interest on the {W} account is {n}%.",
         "Holders of the {W} account receive {n} percent interest."),
        ("{B} audits the branch in {P}.", "The branch in {P} is audited by {B}.",
         "{B} is the auditor of the {P} branch."),
        ("Complaints are answered within {n} weeks.", "A complaint gets an answer in at most {n} weeks.",
         "The bank answers complaints no later than {n} weeks after they arrive."),
        ("Some customers of the {W} account pay no fee.",
         "The {W} account is free for some customers.", "Not every holder of the {W} account pays a fee."),
        ("The rate may be raised in {M}.", "In {M} the rate could go up.",
         "It is possible that the rate is increased in {M}."),
    ),
    "history": (
        ("{A} founded the town of {P} in {y}.", "{P} was founded by {A} in {y}.",
         "In {y}, {A} established the town of {P}."),
        ("{A} defeated {B} at {P}.", "{B} was defeated by {A} at {P}.", "At {P}, {A} won against {B}."),
        ("The bridge of {P} was built before the church.", "In {P}, the church was built after the bridge.",
         "{P}'s bridge is older than its church."),
        ("About {m} thousand people lived in {P} in {y}.", "In {y}, {P} had some {m},000 inhabitants.",
         "The population of {P} was around {m},000 in {y}."),
        ("{B} died in {M} {y}.", "The death of {B} was in {M} {y}.", "In {M} {y}, {B} died."),
        ("Most houses in {P} were made of wood.", "The majority of houses in {P} were wooden.",
         "In {P}, most of the houses were of wood."),
    ),
    "science": (
        ("{X} dissolves faster than {Y}.", "{Y} dissolves more slowly than {X}.",
         "Compared with {Y}, {X} dissolves faster."),
        ("{X} melts at {m} degrees.", "The melting point of {X} is {m} degrees.",
         "At {m} degrees, {X} melts."),
        ("{X} reacts with {Y} only when heated.", "Without heat, {X} does not react with {Y}.",
         "{X} and {Y} react only if they are heated."),
        ("{A} discovered {X} in {y}.", "{X} was discovered by {A} in {y}.",
         "In {y}, {X} was found by {A}."),
        ("At least {n} samples of {X} are needed.", "One needs no fewer than {n} samples of {X}.",
         "A minimum of {n} samples of {X} is required."),
        ("{X} does not conduct electricity.", "Electricity is not conducted by {X}.",
         "{X} is no conductor of electricity."),
    ),
    "software": (
        ("The {W} service restarts every {n} hours.", "Every {n} hours the {W} service is restarted.",
         "A restart of the {W} service takes place every {n} hours."),
        ("Passwords must have at least {m} characters.", "A password needs a minimum of {m} characters.",
         "Passwords shorter than {m} characters are not accepted."),
        ("{A} may delete backups, {B} may not.", "Deleting backups is allowed to {A} but not to {B}.",
         "Unlike {B}, {A} has permission to delete backups."),
        ("Logs are sent from {P} to {Q}.", "{Q} receives the logs of {P}.", "{P} sends its logs to {Q}."),
        ("The {W} service should be updated before {M}.",
         "It is recommended to update the {W} service before {M}.",
         "An update of the {W} service is advised before {M}."),
        ("All users of the {W} service have a token.", "Every user of the {W} service has a token.",
         "Each {W} service user holds a token."),
    ),
    "trade": (
        ("{A} sold {m} machines to {B}.", "{B} bought {m} machines from {A}.",
         "{m} machines were sold to {B} by {A}."),
        ("Goods from {P} arrive on the {n}th of {M}.", "On {M} {n}, goods from {P} arrive.",
         "The arrival of goods from {P} is on {n} {M}."),
        ("Exports to {P} rose by {m} percent.", "There was an increase of {m}% in exports to {P}.",
         "{m} percent more was exported to {P}."),
        ("Warehouse {W} is larger than warehouse {V}.", "Warehouse {V} is smaller than warehouse {W}.",
         "Of both warehouses, {W} is the larger and {V} the smaller."),
        ("Fragile goods cannot be returned.", "There is no return of fragile goods.",
         "It is not possible to return fragile goods."),
        ("Drivers have to rest after {n} hours.", "After {n} hours drivers must take a rest.",
         "A rest is mandatory for drivers after {n} hours."),
    ),
}  # fmt: skip
_PLACES = _words("Arlen Bostra Cremel Dorva Eskend Farrow Gelting Hollin Istria Jarnsey")
_THINGS = _words("north south green blue upper lower silver maple cedar birch")
_STUFF = _words("Calmine Doprane Ferrox Lithane Morvium Nerolin Oxalan Pyrine Quellin Ravite")


def frames(rng: random.Random, paragraphs: int) -> list[Claim]:
    """Return claims about generated paragraphs; a paragraph's field is its group."""
    made: list[Claim] = []
    for at in range(paragraphs):
        field = list(FIELDS)[at % len(FIELDS)]
        slots = _slots(rng)
        statements = [(ways, {**slots, **_fresh(rng)}) for ways in FIELDS[field]]
        rng.shuffle(statements)
        statements = statements[: rng.randint(3, 6)]
        passage = " ".join(_say(rng.choice(ways), own) for ways, own in statements)
        for ways, own in statements:
            way = rng.choice(ways)
            made.append(Claim(passage, _say(way, own), True, "said otherwise", field))
            other = _wrong(way, own, rng)
            if other != own and _say(way, other) != _say(way, own):
                made.append(Claim(passage, _say(way, other), False, "other values", field))
            false = rng.sample(list(FALSE.items()), len(FALSE))
            said = _say(rng.choice(ways), own)
            for how, op in false:
                new = op(said, rng)
                if new and new != said:
                    made.append(Claim(passage, new, False, how, field))
                    break
    return made


def _wrong(way: str, slots: dict[str, str], rng: random.Random) -> dict[str, str]:
    """The same statement with values exchanged, or others."""
    used = re.findall(r"{(\w)}", way)
    for one, two in (("A", "B"), ("X", "Y"), ("P", "Q"), ("W", "V"), ("t", "u")):
        if one in used and two in used and rng.random() < 0.6:
            return {**slots, one: slots[two], two: slots[one]}
    changed = rng.choice(used) if used else ""
    pairs = dict(zip("ABXYPQWV", "BAYXQPVW", strict=True))
    if changed in pairs and rng.random() < 0.5:
        return {**slots, changed: slots[pairs[changed]]}
    fresh = {**_slots(rng), **_fresh(rng)}
    return {**slots, changed: fresh[changed]} if changed else slots


def _say(way: str, slots: dict[str, str]) -> str:
    said = way.format(**slots)
    return said[0].upper() + said[1:]


def _slots(rng: random.Random) -> dict[str, str]:
    def person() -> str:
        code = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=7)) + rng.choice("234567")
        return f"PERSON_{code}"

    p, q = rng.sample(_PLACES, 2)
    w, v = rng.sample(_THINGS, 2)
    x, y = rng.sample(_STUFF, 2)
    return {"A": person(), "B": person(), "P": p, "Q": q, "W": w, "V": v, "X": x, "Y": y, "D": x}


def _fresh(rng: random.Random) -> dict[str, str]:
    first = rng.randint(7, 12)
    return {
        "n": str(rng.randint(2, 12)),
        "m": str(rng.randint(13, 95)),
        "y": str(rng.randint(1500, 1990)),
        "M": rng.choice(_MONTHS),
        "t": f"{first}:00",
        "u": f"{first + rng.randint(2, 9)}:30",
    }
