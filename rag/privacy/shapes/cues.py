"""Labels in many languages that tell what the number behind them is.

Each line is a pattern over small letters; its first two characters are literal. A weak label
counts only right in front of its number, a strong one also some words before.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple


class Cue(NamedTuple):
    """A label.

    Attributes:
        entity: Kind of the number behind it; empty: not a personal one, whatever it says.
        strong: Words may stand between.
        least: Fewest digits of the number.
    """

    pattern: re.Pattern[str]
    entity: str
    strong: bool
    least: int


_STRONG: Mapping[str, str] = {
    "DRIVER_LICENSE": r"""
        driv(?:er|ing)(?:['’]?s|s['’])?[ _\-]?(?:licen[cs]e|permit|lic\b)s?
        driv(?:er|ing)(?:['’]?s|s['’])? (?:id|card)\b
        licen[cs]e (?:id|no|nr|num|number|#)
        operator(?:['’]?s|s['’])? licen[cs]e
        learner(?:['’]?s|s['’])? permit
        state id\b
        dln\b
        d/l\b
        dl (?:no|nr|num|number|#|id)
        lic(?:en[cs]e)?\.? (?:no|nr|num|number|#)
        provisional (?:driving )?licen[cs]e
        driver(?:['’]?s)? (?:no|number)
        f(?:ü|ue|u)hrerschein(?:nummer|nr)?
        fahrerlaubnis(?:nummer|nr)?
        permis de condui(?:re|cere)
        permis b\b
        num[ée]ro de permis
        permiso de conduc(?:ir|ci[óo]n)
        licencia de (?:conducir|conducci[óo]n|manejo)
        carn[eé]t? de condu(?:cir|ir)
        patente di guida
        carta de condu[cç][aã]o
        carteira (?:nacional )?de (?:habilita[cç][aã]o|motorista)
        cnh\b
        praw[oa] jazdy
        rijbewijs(?:nummer)?
        k[öo]rkort(?:snummer)?
        f[øo]rerkort(?:nummer)?
        k[øo]rekort(?:nummer)?
        ajokort(?:ti|in)(?: numero)?
        [rř]idi[cč]sk\w{1,4} pr[uů]kaz\w{0,2}
        vodi[cč]sk\w{1,4} preukaz\w{0,2}
        jogos[ií]tv[áa]ny\w{0,3}
        ehliyet(?: no| numaras[ıi])?
        s[üu]r[üu]c[üu] belgesi
        voza[cč]k\w{1,3} dozvol\w{1,2}
        водительск\w{1,4} удостоверени\w{1,2}
        άδεια οδήγησης
        運転免許証?(?:番号)?
        驾驶证号?
    """,
    "PASSPORT": r"""
        passport
        passport\w{0,2}[ _]?(?:no|nr|num|number|id)
        ppt?(?: no| number|#)
        reisepass(?:nummer|nr)?
        passeport
        pasaporte
        passaporto
        passaporte
        paszport\w{0,2}
        paspoort(?:nummer)?
        pass(?:nummer|nr)\b
        passi(?:n numero)\b
        pasaport
        cestovn[íi] pas
        [uú]tlev[ée]l(?:sz[áa]m)?
        загранпаспорт\w{0,2}
        паспорт\w{0,2}
        travel document
        護照(?:號碼)?
        旅券番号
        护照号码?
    """,
    "MEDICAL_RECORD": r"""
        mrn\b
        m\.?r\.?n\b\.?
        mr ?(?:#|no|number|nr)
        med(?:ical)?[ _]?rec(?:ord)?s?
        records? (?:no|nr|number|id|ref|#)
        file (?:no|nr|number|#)
        clinic (?:no|nr|number|id|#)
        unit (?:record|no|number)
        case ?notes? (?:no|number)
        accession(?: no| number)?
        folder (?:no|number)
        potilasnumero
        hn\b
        uhid\b
        urn\b
        ur (?:no|number)
        episode (?:id|no|number)
        visit (?:id|no|number|#)
        wristband
        krankenakten?(?:nummer|nr)?
        patientenakte
        health record
        hospital (?:no|number|id|nr)\b
        patient(?:en)?[ _\-]?(?:id|no|nr|num|number|nummer|ref|identifier)\b
        chart (?:no|number|id|#)
        emr\b
        ehr\b
        encounter (?:id|no|number)
        admission (?:id|no|number)
        accession (?:id|no|number)
        specimen (?:id|no|number)
        case ?notes? (?:no|number)
        chi number
        nhi\b
        nhs number
        patientennummer
        fallnummer
        aufnahmenummer
        num[ée]ro de dossier(?: m[ée]dical)?
        dossier m[ée]dical
        ipp\b
        historia cl[íi]nica
        nhc\b
        cartella clinica
        prontu[áa]rio
        pati[eë]ntnummer
        historia choroby
        journalnummer
    """,
    "HEALTH_PLAN": r"""
        health (?:plan|insurance|card)
        member(?:ship)?[ _\-]?(?:id|no|nr|num|number|#)
        subscriber[ _\-]?(?:id|no|nr|num|number|#)
        beneficiary[ _\-]?(?:id|no|nr|num|number|#)
        insurance (?:id|no|number|card|policy|member)
        policy[ _\-]?(?:holder )?(?:id|no|nr|num|number|#)
        group (?:no|number|id)\b
        medicare
        medicaid
        hicn\b
        mbi\b
        krankenversicherten(?:nummer|nr)?
        krankenkassen(?:nummer|nr)
        versicherten(?:nummer|nr|-nr)?
        versicherungs(?:nummer|nr|schein(?:nummer)?)
        policennummer
        carte vitale
        num[ée]ro d['’]assur[ée]
        num[ée]ro de (?:police|contrat)
        n[uú]mero de p[óo]liza
        tarjeta sanitaria
        tessera sanitaria
        polis(?:nummer)?
        ehic\b
    """,
    "US_SSN": r"""
        ssns?\b
        social sec(?:urity)?(?: (?:no|num|number|nr|card|#))?
        soc\.? sec\.?
        ss#
    """,
    "US_ITIN": r"""
        itin\b
    """,
    "UK_NHS": r"""
        nhs\b
    """,
    "UK_NINO": r"""
        nino\b
        national insurance
        ni (?:no|number|num)
    """,
    "NATIONAL_ID": r"""
        national (?:id|identity|identification|register)(?: card)?
        identity (?:card|document|no|number)
        identification (?:card|no|number)
        personal (?:id|identity|identification)(?: (?:code|no|number))?
        citizen(?:ship)? (?:id|card|no|number)
        resident(?: registration| identity)? (?:id|no|number|card|permit)
        government id
        id card
        id number
        tax(?:payer)?[ _\-]?(?:id|no|num|number|file|identification|reference)
        tin\b
        utr\b
        ein\b
        sozialversicherung(?:s)?(?:nummer|nr)?
        rentenversicherungsnummer
        sv-?(?:nummer|nr)
        steuer-?id(?:entifikation)?(?:s)?(?:nummer|nr)?
        steuer(?:nummer|nr)
        personalausweis(?:nummer|nr)?
        ausweis(?:nummer|nr)
        ahv(?:-nummer|-nr|nummer)?
        num[ée]ro de s[ée]curit[ée] sociale
        s[ée]curit[ée] sociale
        carte (?:nationale )?d['’]identit[ée]
        cni\b
        nir\b
        dni\b
        nif\b
        nie\b
        curp\b
        rut\b
        run\b
        c[ée]dula(?: de (?:identidad|ciudadan[íi]a))?
        seguridad social
        carta d['’]identit[àa]
        codice fiscale
        cpf\b
        rg\b
        nis\b
        bilhete de identidade
        cart[aã]o de cidad[aã]o
        bsn\b
        burgerservicenummer
        rijksregisternummer
        pesel\b
        nip\b
        dow[óo]d\w{0,2} osobist\w{1,4}
        person(?:al)?nummer
        samordningsnummer
        f[øo]dselsnummer
        cpr(?:-?nummer|-nr)?
        henkil[öo]tunnus\w{0,2}
        hetu\b
        rodn[ée] [čc][íi]sl[oa]
        ob[čc]ansk\w{1,4} pr[uů]kaz\w{0,2}
        cnp\b
        egn\b
        егн\b
        oib\b
        jmbg\b
        emšo\b
        taj\b
        sin\b
        sin (?:no|number)
        tfn\b
        aadhaa?r
        pan card
        pan (?:no|number)
        voter(?:['’]?s)? (?:id|card)
        nric\b
        fin\b
        ic (?:no|number)
        mykad
        rrn\b
        my ?number
        個人番号
        マイナンバー
        身份证号?码?
        주민등록번호
        tc kimlik(?: no| numaras[ıi])?
        kimlik no
        pps(?:n)?\b
        инн\b
        снилс
        паспортные данные
        αμκα
        αφμ
        kennitala
        isikukood
        asmens kodas
        personas kods
    """,
    "BANK_ACCOUNT": r"""
        bank account
        bank (?:acct|a/c)
        checking account
        savings account
        account[ _\-]?(?:no|nr|num|number|id|#)
        acct[ .]{0,2}(?:no|nr|num|number|#)?
        a/c(?: no| number)?
        giro(?:konto)?
        konto(?:nummer|nr|verbindung)
        kto\b
        compte (?:bancaire|n[°ºo])
        num[ée]ro de compte
        n[uú]mero de cuenta
        cuenta bancaria
        conto corrente
        n[uú]mero da conta
        num(?:er|eru) (?:konta|rachunku)
        rachun(?:ek|ku)(?: bankow\w{1,4})?
        rekening(?:nummer)?
        bankkonto
        [čc][íi]slo [úu][čc]tu
        bban\b
        clabe\b
        cbu\b
        bsb\b
        sort[ \-]?code
        blz\b
        bankleitzahl
        ifsc(?: code)?
    """,
    "ROUTING_NUMBER": r"""
        routing(?: transit)?(?: (?:no|num|number|#))?
        aba\b(?: (?:no|number|routing))?
        rtn\b
        transit (?:no|number)
    """,
    "MEDICAL_LICENSE": r"""
        medical licen[cs]e
        nursing licen[cs]e
        professional licen[cs]e
        pharmacist licen[cs]e
        physician licen[cs]e
        dea\b(?: (?:no|number|registration))?
        npi\b(?: (?:no|number))?
        gmc\b
        nmc\b(?: pin)?
        rpps\b
        lanr\b
        arztnummer
    """,
    "CERTIFICATE": r"""
        birth certificate
        marriage (?:certificate|licen[cs]e)
        death certificate
        certificate (?:no|nr|num|number|id|#)
        certification (?:no|number|id)
        pilot(?:['’]?s)? licen[cs]e
        gun licen[cs]e
        firearms? (?:licen[cs]e|certificate|permit)
        professional (?:registration|certificate)
        registration (?:certificate|no|number)
        bar (?:no|number|id)
        diploma (?:no|number)
        work permit
        residence permit
        visa (?:no|number)
        alien (?:registration|no|number)
        uscis\b
        green card
        aufenthaltstitel
        geburtsurkunde(?:nnummer)?
        zertifikats?(?:nummer|nr)
        approbations(?:nummer|nr)
    """,
    "VEHICLE_ID": r"""
        vin\b
        vehicle (?:identification|id|reg|registration)(?: (?:no|number|plate))?
        chassis(?: no| number)?
        licen[cs]e (?:plate|tag)
        number ?plate
        plate (?:no|number|is)\b
        registration plate
        reg(?:istration)? plate
        car reg(?:istration)?
        fahrgestellnummer
        fahrzeug-?ident(?:ifikations|ifizierungs)?-?nummer
        fin-nummer
        kfz-?kennzeichen
        kennzeichen
        amtliches kennzeichen
        plaque d['’]immatriculation
        immatriculation
        matr[íi]cula
        targa\b
        kenteken
        tablica rejestracyjna
        num(?:er)? rejestracyjny
        rekisterinumero
        registreringsnummer
        госномер
    """,
    "DEVICE_ID": r"""
        imei\b
        meid\b
        imsi\b
        iccid\b
        eid\b
        udid\b
        idfa\b
        aaid\b
        advertising id
        device (?:id|identifier|serial|no|number)
        serial (?:no|nr|num|number|#)
        s/n\b
        implant (?:id|serial|no|number)
        pacemaker (?:id|serial|no|number|model)
        udi\b
        serien(?:nummer|nr)
        ger[äa]te(?:nummer|nr|-id|kennung)
        num[ée]ro de s[ée]rie
        n[uú]mero de serie
        numero di serie
        serienummer
        numer seryjny
        android id
    """,
    "BIOMETRIC_ID": r"""
        fingerprint (?:id|no|number|template|hash|record|ref|reference)
        iris (?:scan|template|id|code)(?: (?:id|no|number))?
        retina(?:l)? (?:scan|template|id)
        face ?print
        face (?:id template|template|recognition id)
        facial (?:template|recognition)(?: (?:id|no|number))?
        voice ?print(?: (?:id|no|number))?
        palm ?print
        biometric(?:s)?(?: (?:id|no|number|template|record|identifier|ref|reference))*
        dna (?:profile|sample|id)(?: (?:id|no|number))?
        fingerabdruck(?:-id|nummer)?
    """,
    "ID_NUMBER": r"""
        employee[ _\-]?(?:id|no|nr|num|number|#|code)
        staff[ _\-]?(?:id|no|nr|num|number|#)
        personnel[ _\-]?(?:id|no|nr|num|number|file)
        payroll (?:id|no|number)
        badge(?: (?:id|no|number|#))?
        student[ _\-]?(?:id|no|nr|num|number|#)
        matriculation (?:no|number)
        matrikel(?:nummer|nr)
        enrol?lment (?:id|no|number)
        customer[ _\-]?(?:id|no|nr|num|number|#)
        client[ _\-]?(?:id|no|nr|num|number|#)
        participant[ _\-]?(?:id|no|number)
        subject[ _\-]?(?:id|no|number)
        user[ _\-]?(?:id|number)
        membership(?: card)? ?(?:id|no|number|#)?
        loyalty (?:card|id|no|number)
        frequent flyer
        library card
        mitarbeiter(?:nummer|nr|-nr|-id)
        personal-?(?:nummer|nr)
        kunden(?:nummer|nr|-nr)
        mitglieds(?:nummer|nr)
        num[ée]ro de client
        matricule
        n[uú]mero de cliente
        n[uú]mero de empleado
        klantnummer
        numer klienta
        kundnummer
        inmate (?:id|no|number)
        prisoner (?:id|no|number)
        military (?:id|service no|service number)
        service number
        case file (?:no|number)
        known traveler(?: number)?
        confirmation number
    """,
    "CREDIT_CARD": r"""
        credit card
        debit card
        card (?:no|nr|num|number|#)
        cc ?(?:no|num|number|#)
        kreditkarte(?:nnummer|n-nr)?
        karten(?:nummer|nr)
        carte (?:de cr[ée]dit|bancaire|bleue)
        tarjeta de cr[ée]dito
        carta di credito
        cart[aã]o de cr[ée]dito
    """,
}
_WEAK: Mapping[str, str] = {
    "DRIVER_LICENSE": r"""
        dl\b
        d\.l\.
        licen[cs]e
        lic\b
        patente
        permis\b
        permit\b
    """,
    "BANK_ACCOUNT": r"""
        account\b
        konto\b
        compte\b
        cuenta\b
        conto\b
        conta\b
    """,
    "MEDICAL_RECORD": r"""
        pat\b
        pid\b
        patient\b
        chart\b
    """,
    "HEALTH_PLAN": r"""
        policy\b
        member\b
        subscriber\b
        insurance\b
    """,
    "CERTIFICATE": r"""
        certificate\b
    """,
    "VEHICLE_ID": r"""
        plates?\b
        registration\b
        reg\b
    """,
    "NATIONAL_ID": r"""
        ni\b
        tax\b
    """,
    "ID_NUMBER": r"""
        id\b
        identification\b
        document (?:no|nr|number|id)
    """,
    "DEVICE_ID": r"""
        serial\b
        device\b
        sn\b
    """,
}
_NOT = r"""
    licen[cs]e (?:key|file|agreement|version|server|fee|type|class|terms|count|code|plate holder)
    licen[cs]e (?:under|and|or|v\d+\.|ver)
    order (?:id|no|number)
    ticket (?:id|no|number)
    transaction id
    session id
    request id
    product (?:id|code|no|number)
    item (?:id|no|number)
    message id
    event id
    process id
    job id
    build (?:id|no|number)
    policy (?:version|document|section)
    account (?:manager|balance|total|type|team)
    patient (?:flow|count|total|safety|days)
    registration (?:fee|deadline|desk|opens|closes)
    national insurance (?:act|contributions?|rate)
"""


def _lines(block: str) -> list[str]:
    return [line.strip() for line in block.splitlines() if line.strip()]


def _cues() -> dict[str, list[Cue]]:
    """Return the labels by the first two characters of what they match."""
    found: dict[str, list[Cue]] = defaultdict(list)

    def add(line: str, entity: str, strong: bool, least: int) -> None:
        # A plural or a genitive may follow, no other letter.
        whole = re.compile(rf"(?:{line})(?:['’]?s)?(?![^\W\d_])")
        cue = Cue(whole, entity, strong, least)
        for first in _firsts(line):
            found[first].append(cue)

    for line in _lines(_NOT):
        add(line, "", False, 0)
    for entity, block in _STRONG.items():
        for line in _lines(block):
            add(line, entity, True, 2 if entity == "VEHICLE_ID" else 4)
    for entity, block in _WEAK.items():
        for line in _lines(block):
            add(line, entity, False, 4 if entity == "VEHICLE_ID" else 5)
    return dict(found)


def _firsts(line: str) -> set[str]:
    """Return the two characters that each way to read a pattern begins with."""
    from itertools import product

    heads: list[str] = []
    rest = line
    while len(heads) < 2:
        if rest.startswith("["):
            inside, rest = rest[1:].split("]", 1)
            heads.append(inside)
        elif rest.startswith("(?:"):
            # (?:ü|ue|u): only ever the second character here
            inside, rest = rest[3:].split(")", 1)
            heads.append("".join(part[0] for part in inside.split("|")))
        else:
            heads.append(rest[1] if rest[0] == "\\" else rest[0])
            rest = rest[2:] if rest[0] == "\\" else rest[1:]
    return {"".join(pair) for pair in product(*heads)}


CUES = _cues()
