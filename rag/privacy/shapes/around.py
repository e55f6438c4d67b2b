"""What stands around a number: labels that make it a thing of business, units and money."""

from __future__ import annotations

import re

_LABEL = re.compile(
    r"(?P<phone>(?<![^\W_])(?:(?:tele|cell|i)?phones?|phone(?=no|num)|tele(?:fon\w{0,6}|fax)|"
    r"tel|telephone|mobil\w{0,5}|mob|"
    r"cell\w{0,6}|fax\w{0,8}|call\w{0,3}|dial\w{0,3}|ring|rang|reach\w{0,3}|text(?:ed)?|sms|"
    r"whats ?app|signal|viber|"
    r"telegram|pager|contact\w{0,3}|handy\w{0,8}|(?:not)?ruf(?:nummer|en)?|durchwahl|festnetz|"
    r"t[ée]l(?:[ée]phone)?|portable|m[oó]vil|celular\w{0,3}|cellulare|kom[oó]rk\w{0,4}|"
    r"puhelin\w{0,6}|gsm|"
    r"landline|hotline|voicemail|extension|ext|appel\w{0,3}|llam\w{0,4}|chiam\w{0,4}|bellen|"
    r"dzwo[nń]\w{0,4}|ring|sími|tlf|tfn|tln|тел\w{0,6}|моб\w{0,8}|τηλ\w{0,8}|"
    r"number (?:is|to)|(?:new|old|my|his|her|their|our) number|"
    r"numero|num[ée]ro|n[uú]mero|numer|nummer)(?![^\W\d_])|"
    r"☎|📞|📱|✆|電話|电话|手机|携帯|"
    r"(?<![^\W_])[tfmpch](?=[:.]))"
    r"|(?P<business>(?<![^\W_])(?:invoices?|inv|orders?|tickets?|bookings?|"
    r"reservations?|tracking|shipments?|parcels?|consignments?|waybill|batch|lots?|skus?|"
    r"upc|ean|gtin|asin|isbn(?:-1[03])?|issn|doi|pmid|pmcid|orcid|arxiv|parts?|p/n|pn|models?|"
    r"versions?|ver|build|"
    r"revisions?|rev|releases?|sections?|articles?|art|paragraphs?|pages?|pp|figures?|fig|"
    r"tables?|chapters?|items?|products?|quotes?|quotations?|purchase|po|rma|rfq|rfc|"
    r"timestamps?|epoch|unix|offset|hash|commit|bugs?|issues?|jira|"
    r"requests?|pr|port|cpt|icd|hcpcs|ndc|loinc|snomed|drg|total|amount|sum|price|cost|revenue|"
    r"budget|"
    r"population|count|size|bytes|barcode|room|gate|flight|latitude|longitude|lat|lon|lng|"
    r"coordinates?|"
    r"job|process|pid|thread|row|block|nonce|transaction|txn|message|"
    r"rechnung\w{0,10}|bestell\w{0,10}|auftrag\w{0,10}|artikel\w{0,10}|liefer\w{0,12}|"
    r"facture|commande|colis|pedido|factura|fattura|ordine|zam[oó]wieni\w{0,2}|faktur\w{0,8}|"
    r"bestilling|tilaus|lasku|fatura|sipari[sş])(?![^\W\d_]))",
    re.IGNORECASE,
)
_CONNECTED = re.compile(
    r"(?:[\W_]{1,4}|\b(?:no|nr|num|number|id|ids|ref|reference|code|is|was|of|the|and|to|from|with|"
    r"by|nummer|num[ée]ro|n[uú]mero|numer|(?-i:[A-Z]{1,4}))\b){0,9}",
    re.IGNORECASE,
)
_MONEY = re.compile(r"(?:[$€£¥₹₽]|\b(?:EUR|USD|GBP|CHF|PLN|JPY|INR|AUD|CAD|SEK|NOK|DKK|Rs\.?))\s?$")
_UNIT = re.compile(
    r"\s?(?:%|‰|°|€|\$|£|(?:EUR|USD|GBP|CHF|PLN|INR|SEK|NOK|DKK|euros?|dollars?|pounds?|"
    r"kg|mg|µg|mcg|g|ml|l|km|cm|mm|m|kWh|MW|GB|MB|kB|TB|bytes?|ms|seconds?|minutes?|hours?|days?|"
    r"units?|users?|rows?|records?|lines?|people|persons|patients|participants|inhabitants|times|"
    r"pcs|pieces|shares|votes|words|tokens|items|copies|samples|million|billion|thousand|"
    r"m[²³]|Hz|kHz|MHz|GHz|V|W|bpm|mmHg|IU)\b)"
)


def label_before(text: str, start: int, reach: int = 36) -> str:
    """Return what the nearest label in front says: ``phone``, ``business`` or nothing.

    Labels are looked for on the line and, when it begins with the number, on the one above.
    """
    first = max(start - reach, 0)
    line = text.rfind("\n", first, start)
    below = line >= 0 and not text[line:start].strip(" \t\n-*•>\"'(+")
    if line >= 0 and not below:
        first = line + 1
    label, end = "", 0
    for match in _LABEL.finditer(text, first, start):
        label, end = match.lastgroup or "", match.end()
    if label == "business" and (below or not _CONNECTED.fullmatch(text, end, start)):
        return ""
    return label


def measured(text: str, start: int, end: int) -> bool:
    """Tell whether a number is an amount of something: money in front, a unit behind."""
    return bool(_MONEY.search(text, max(start - 6, 0), start) or _UNIT.match(text, end))
