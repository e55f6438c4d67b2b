"""What the structure says: a column headed Patient, a mail's From, a line ``Signed: …``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.privacy.names.lexicon import COMMON, flags_of, plain, sure
from rag.privacy.pseudonym import MASK, PARTICLES, TITLES
from rag.privacy.shapes.columns import columns
from rag.privacy.words import Word, word_set, words
from rag.records import Finding

if TYPE_CHECKING:
    from rag.privacy.detect import Passage

_PERSON = word_set(
    """
    patient patients patientin employee employees contact author authors creator surname forename
    lastname firstname fullname customer client holder cardholder accountholder owner manager
    physician doctor clinician nurse signatory beneficiary guarantor spouse father mother guardian
    reviewer approver assignee reporter requester applicant recipient sender attendee attendees
    participant participants member witness witnesses supervisor consultant surgeon from to cc bcc
    signed prepared reviewed approved by name names editor relative kin insured subscriber payee
    payer debtor creditor tenant landlord student teacher guest guests driver policyholder passenger
    resident candidate pupil child parent parents buyer seller shipper consignee addressee attn
    attention traveller traveler referrer interviewer interviewee examiner instructor trainer coach
    plaintiff defendant claimant appellant respondent complainant victim suspect officer agent
    broker adviser advisor operator analyst organiser organizer host speaker chair chairperson
    secretary treasurer heir trustee executor donor borrower lender lessee lessor occupant
    householder alias aka contributor maintainer user prescriber dentist pharmacist therapist
    midwife referee mentor founder first last given family middle maiden nickname
    vorname nachname familienname geburtsname kunde kundin mitarbeiter mitarbeiterin ansprechpartner
    ansprechpartnerin arzt arztin hausarzt versicherter versicherte versicherungsnehmer
    unterzeichner bearbeiter bearbeiterin verfasser von an inhaber kontoinhaber karteninhaber
    empfanger absender besteller auftraggeber mieter vermieter fahrer gast schuler zeuge zeugin
    teilnehmer antragsteller angehoriger unterschrift
    nom prenom prenoms salarie medecin redacteur auteur destinataire expediteur signataire
    beneficiaire titulaire assure assuree locataire bailleur conducteur eleve temoin de a
    nombre nombres apellido apellidos paciente empleado empleada cliente medico autor firmante
    titular beneficiario asegurado inquilino arrendador conductor alumno testigo remitente
    destinatario para
    cognome nominativo paziente dipendente autore intestatario titolare assicurato inquilino
    conducente testimone mittente firmatario da
    imie nazwisko pacjent pacjentka pracownik klient klientka lekarz ubezpieczony najemca kierowca
    swiadek nadawca odbiorca podpis od do
    naam achternaam voornaam patient medewerker klant arts verzekerde huurder bestuurder getuige
    afzender ontvanger rekeninghouder aanvrager aan van
    navn etternavn fornavn efternavn namn efternamn fornamn kund forsakrad mottagare avsandare
    modtager afsender mottaker avsender underskrift fran til till fra
    nimi sukunimi etunimi asiakas potilas vastaanottaja lahettaja
    jmeno prijmeni pacient zakaznik odesilatel prijemce meno priezvisko
    nev vezeteknev keresztnev beteg ugyfel felado cimzett
    nume prenume pacient client expeditor destinatar
    isim ad adi soyad soyadi adsoyad hasta musteri gonderen alici imza
    ime prezime pacijent klijent kupac
    nama pasien pelanggan penerima pengirim ten hoten
    hasta nome sobrenome segurado inquilino condutor aluno testemunha remetente funcionario
    vardas pavarde vards uzvards eesnimi perekonnanimi
    имя фамилия отчество фио пациент клиент получатель отправитель сотрудник врач име прізвище
    όνομα ονομα επωνυμο επώνυμο ονοματεπωνυμο ασθενης πελατης
    الاسم שם 氏名 名前 姓名 이름 성명 नाम
    """
)
_SURE = word_set(
    """
    patient surname forename lastname firstname fullname cardholder accountholder physician doctor
    clinician signatory beneficiary author creator signed employee vorname nachname familienname
    prenom apellido apellidos cognome imie nazwisko kunde mitarbeiter paciente paziente pacjent
    achternaam voornaam sobrenome фамилия spouse attendee nurse guarantor policyholder passenger
    applicant guest tenant landlord witness plaintiff defendant claimant complainant insured lessee
    lessor borrower interviewee kontoinhaber karteninhaber versicherungsnehmer ansprechpartner
    antragsteller mieter titulaire assure locataire asegurado inquilino remitente intestatario
    assicurato verzekerde huurder rekeninghouder najemca ubezpieczony etternavn fornavn efternavn
    efternamn fornamn sukunimi etunimi prijmeni jmeno vezeteknev keresztnev prenume soyad soyadi
    prezime pasien segurado priezvisko pavarde uzvards perekonnanimi eesnimi отчество фио
    """
)
_THINGS = word_set(
    """
    product file drug brand company project service user host domain table column field server
    bank branch department ward hospital clinic street city country event course document report
    item medication trade generic vendor supplier organisation organization team group role class
    type category display database system process policy firmen produkt datei number no id code
    date address email phone reason notes amount status count
    """
)
_KEYED = (
    (
        "DATE_OF_BIRTH",
        re.compile(
            r"\b(?:dob|birth|birthdate|birthday|born|geburtsdatum|geboren|naissance|nacimiento|"
            r"nascita|urodzenia|geboortedatum|fodselsdato|fodelsedatum)\b"
        ),
    ),
    ("EMAIL_ADDRESS", re.compile(r"\be ?-?mails?\b|\bmail address\b")),
    (
        "PHONE_NUMBER",
        re.compile(
            r"\b(?:phone|telephone|tel|mobile|cell|fax|telefon|telefono|handy|mobil|gsm|pager|"
            r"telephone|telefoon)\b"
        ),
    ),
    (
        "STREET_ADDRESS",
        re.compile(
            r"\b(?:address|street|anschrift|adresse|strasse|direccion|indirizzo|adres|endereco|"
            r"domicile|residence|postcode|zip|zipcode|plz)\b"
        ),
    ),
    ("US_SSN", re.compile(r"\b(?:ssn|social security)\b")),
    ("IBAN_CODE", re.compile(r"\biban\b")),
    ("CREDIT_CARD", re.compile(r"\b(?:card|credit card|card ?no|card ?number|pan|kartennummer)\b")),
    ("PASSPORT", re.compile(r"\b(?:passport|reisepass|pasaporte|passeport)\b")),
    ("DRIVER_LICENSE", re.compile(r"\b(?:driv\w+ licen[cs]e|fuhrerschein)\b")),
    (
        "MEDICAL_RECORD",
        re.compile(
            r"\b(?:mrn|medical record|patient (?:id|no|number|nr)|patientennummer|hospital "
            r"(?:no|number)|insurance (?:no|id|number)|policy (?:no|number)|member (?:id|no|"
            r"number)|nhs)\b"
        ),
    ),
    ("MEDICAL_LICENSE", re.compile(r"\b(?:licen[cs]e|npi|dea|gmc)\b")),
    (
        "BANK_ACCOUNT",
        re.compile(r"\b(?:account|konto|kontonummer|acct|sort code|routing|cuenta|compte)\b"),
    ),
    (
        "NATIONAL_ID",
        re.compile(
            r"\b(?:national id|id number|nino|tax id|tin|pesel|dni|nif|bsn|steuer ?id|personnummer|"
            r"cpf|employee (?:id|no|number)|staff (?:id|no|number)|personnel (?:no|number)"
            r"|customer (?:id|no|number))\b"
        ),
    ),
    ("IP_ADDRESS", re.compile(r"\bip(?: address)?\b")),
)
_NAME_PARTS = frozenset(
    {"last name", "first name", "given name", "family name", "middle name", "maiden name"}
    | {"surname", "forename", "lastname", "firstname", "vorname", "nachname", "familienname"}
    | {"prenom", "apellido", "apellidos", "cognome", "nazwisko", "achternaam", "sobrenome"}
    | {"voornaam", "etternavn", "efternavn", "efternamn", "fornavn", "fornamn", "given names"}
)
_BLANK = word_set(
    """
    none unknown yes no na nil see required optional tbd tba same self n/a pending anonymous various
    other required mandatory here below above male female mr mrs ms
    """
)
"""Values of a name's field that are no names."""
_KEY = re.compile(
    r"(?:^|(?<=[\n|;,\t{(>\"'])|(?<=\s)(?=\w{2,24}=))"
    r"[ \t\-*•]{0,4}[\"'<]?([^\W\d_][\w .'’/()\-]{0,34}?)"
    r"[\"'>]?[ \t]{0,3}(?::|=|\t|—|[.·_]{3,40})[ \t]{0,4}\n?[ \t]{0,4}(?=[^\s:=])"
)
_DATE = re.compile(
    r"\d{1,4}[./\- ]\w{1,12}[./\- ,]{1,2}\d{1,4}|\w{3,12}\.? \d{1,2},? \d{4}|\b\d{8}\b"
)
_SEPARATORS = re.compile(r"[:=\t—]|\.{3}|_{3}|·{3}")
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2}[:\-]){3}")
_SENTENCE = re.compile(r"(?<=[^\W\d_][^\W\d_A-Z]{4})\. (?=[^\W\d_a-z]\w+ [^\W\d_]\w+)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_COMPANY = re.compile(
    r"\b(?:Ltd|GmbH|AG|Inc|LLC|LLP|PLC|plc|Corp|S\.?A|SpA|BV|NV|Bank|Hospital|Clinic|"
    r"University|Department|Team|Group|Trust|Office|Committee|Board)\b"
)


def structured(passage: Passage) -> list[Finding]:
    """Return findings that a label, a column's header or a key in front gives away."""
    found: list[Finding] = []
    for segment, seen, start in zip(passage.segments, passage.views, passage.starts, strict=True):
        if segment.label and seen.text.strip():
            _by_label(
                _folded(segment.label), seen.text, 0, len(seen.text), start, found, whole=True
            )
        if "\n" in seen.text:
            _columns(seen.text, start, found)
        if _SEPARATORS.search(seen.text):
            for label, first, last in keys(seen.text):
                _by_label(label, seen.text, first, last, start, found, whole=False)
    return found


def _columns(text: str, base: int, found: list[Finding]) -> None:
    """Find names below the head of a column in plain text."""
    levels: dict[str, int] = {}
    for head, start, end in columns(text):
        if head not in levels:
            levels[head] = person_label(_folded(head))
        if levels[head] and start < end:
            for first, last in names_in(text, start, end, levels[head]):
                found.append(Finding(base + first, base + last, "PERSON", 0.8, "Label"))


def keys(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each key of a text, folded, with the range of its value (to the line's end)."""
    matches = list(_KEY.finditer(text))
    for index, match in enumerate(matches):
        first = match.end()
        stop = text.find("\n", first)
        stop = len(text) if stop < 0 else stop
        if index + 1 < len(matches):
            stop = min(stop, matches[index + 1].start())
        if stop > first:
            key = match.group(1)
            if "=" in match.group():
                key = key.rpartition(" ")[2]
            yield _folded(key), first, min(stop, first + 200)


def _folded(label: str) -> str:
    return " ".join(word.folded for word in words(_CAMEL.sub(" ", label)))


def _by_label(
    label: str, text: str, first: int, last: int, base: int, found: list[Finding], whole: bool
) -> None:
    # What was masked before is not read again under its label: the lists see to what is left.
    if not label or MASK.search(text, first, last):
        return
    entity = next((entity for entity, key in _KEYED if key.search(label)), "")
    if entity:
        start, end = _trim(text, first, last)
        if entity == "STREET_ADDRESS" and not whole:
            end = _one_sentence(text, start, end)
        piece = text[start:end]
        if entity == "DATE_OF_BIRTH":
            ranges = [match.span() for match in _DATE.finditer(text, first, last)]
        elif _fits(entity, piece, whole):
            ranges = [(start, end)]
        else:
            ranges = []
        found += [Finding(base + a, base + b, entity, 0.8, "Label") for a, b in ranges]
        if entity != "EMAIL_ADDRESS":
            return
    level = person_label(label)
    if level:
        for start, end in names_in(text, first, last, level):
            found.append(Finding(base + start, base + end, "PERSON", 0.8, "Label"))


def _fits(entity: str, piece: str, whole: bool) -> bool:
    """Tell whether a value may be what its label says."""
    digits = sum(map(str.isdigit, piece))
    if entity in {"EMAIL_ADDRESS", "IP_ADDRESS"}:
        return False  # their shape is enough
    if entity == "STREET_ADDRESS":
        lettered = whole or any(map(str.isalpha, piece))
        other = "@" in piece or "://" in piece or bool(_HEXADECIMAL.match(piece))
        return digits > 0 and lettered and not other
    return whole and digits >= 4


def person_label(label: str) -> int:
    """Return how sure it is that a person follows a label.

    3: a part of somebody's name; 2: somebody; 1: maybe somebody, maybe a thing; 0: no person.
    """
    parts = label.split()
    if not parts or len(parts) > 4:
        return 0
    if label in _NAME_PARTS:
        return 3
    last = parts[-1]
    if last not in _PERSON or set(parts[:-1]) & _THINGS:
        return 2 if set(parts) & _SURE and not set(parts) & _THINGS else 0
    if set(parts) & _SURE or last == "by" or (last in {"name", "names"} and len(parts) > 1):
        return 2
    return 1


def names_in(text: str, first: int, last: int, level: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of names in a value: people listed, mail addresses beside them."""
    for match in re.finditer(r"[^;<>()\n|/&\"\[\]\t@\d:]+", text[first:last]):
        start, end = first + match.start(), first + match.end()
        if text[end : end + 1] == "@" or "@" in text[max(start - 1, 0) : start]:
            continue
        if _COMPANY.search(text, start, end):
            continue
        inside = words(text, start, end)
        while inside and _leads(inside[0]):
            inside.pop(0)
        cut = next(
            (i for i, word in enumerate(inside) if i and _stops(text, inside, i)), len(inside)
        )
        inside = inside[:cut]
        if not inside or len(inside) > 8:
            continue
        if _nameful(inside, level):
            yield inside[0].start, inside[-1].end


def _leads(word: Word) -> bool:
    if word.folded in PARTICLES and word.capital:
        return False
    flags = flags_of(word.folded)
    return word.folded in TITLES or (bool(flags & COMMON) and plain(flags))


def _stops(text: str, inside: list[Word], index: int) -> bool:
    gap = text[inside[index - 1].end : inside[index].start]
    if "," in gap:
        # "González, María" goes on; "Anna Nowak, consultant" does not.
        return plain(flags_of(inside[index].folded)) or not inside[index].capital
    if len(gap) > 2 or gap.strip(" .-'’‐–"):
        return True
    flags = flags_of(inside[index].folded)
    return plain(flags) and (bool(flags & COMMON) or not inside[index].capital)


def _nameful(inside: list[Word], level: int) -> bool:
    flags = [flags_of(word.folded) for word in inside]
    if any(sure(f) and word.capital for f, word in zip(flags, inside, strict=True)):
        return True
    if len(inside) == 1 and flags[0] & COMMON and level == 1:
        return False
    if all(map(plain, flags)):
        # Under "Last name" an ordinary word is somebody's, too: Berry, Crane.
        word = inside[0]
        return level == 3 and len(inside) == 1 and word.capital and word.folded not in _BLANK
    written = any(word.capital for word in inside) and all(
        word.capital or word.folded in PARTICLES for word in inside
    )
    if level > 1:
        # Exports write names in lower case, too.
        return written or not (
            len(inside) > 3
            or max(len(word.folded) for word in inside) < 3
            or any(map(_ordinary, inside))
        )
    return len(inside) >= 2 and written


def _ordinary(word: Word) -> bool:
    flags = flags_of(word.folded)
    return bool(flags & COMMON) or plain(flags)


def _trim(text: str, first: int, last: int) -> tuple[int, int]:
    piece = text[first:last]
    end = last - (len(piece) - len(piece.rstrip(" \t\n,;\"'}]>")))
    return first + len(piece) - len(piece.lstrip(" \t\n\"'{[<")), end


def _one_sentence(text: str, first: int, last: int) -> int:
    """Return where an address ends when sentences without any number follow on its line."""
    stop = next(_SENTENCE.finditer(text, first, last), None)
    if stop is None or any(map(str.isdigit, text[stop.end() : last])):
        return last
    return stop.start()
