"""Content filters: a lexical stand-in for AWS's classifiers, which are not published.

Strong words give HIGH confidence, several weaker ones MEDIUM, one LOW. The strength of a filter
says from which confidence on it acts: HIGH from LOW, MEDIUM from MEDIUM, LOW from HIGH.
"""

from __future__ import annotations

import re

ACTS_FROM = {"NONE": 4, "LOW": 3, "MEDIUM": 2, "HIGH": 1}
LEVELS = ("NONE", "LOW", "MEDIUM", "HIGH")

_STRONG = {
    "PROMPT_ATTACK": r"(?:ignore|disregard|forget|override)\b.{0,30}\b(?:previous|prior|above|all|"
    r"earlier|system|your)\b.{0,20}\b(?:instructions?|prompts?|rules|guidelines)|jailbreak|"
    r"do anything now|developer mode|(?:reveal|print|show|repeat)\b.{0,20}\bsystem prompt|"
    r"pretend (?:that )?you have no (?:rules|restrictions|limits)",
    "VIOLENCE": r"(?:kill|murder|stab|shoot|behead|torture|massacre)\b.{0,25}\b(?:him|her|them|"
    r"you|people|everyone|someone|somebody|children|my \w+)|(?:build|make)\b.{0,15}\bbomb",
    "HATE": r"(?:all|those)\b.{0,25}\b(?:are (?:vermin|subhuman|animals|scum)|should be "
    r"(?:exterminated|deported|gassed))|racial purity",
    "INSULTS": r"you(?:'re| are)? (?:an? )?(?:complete |total |utter )?(?:idiot|moron|imbecile|"
    r"stupid|worthless|pathetic|dumb|loser)",
    "SEXUAL": r"explicit sex|pornograph\w*|sexual(?:ly)? (?:acts?|explicit)|nude (?:pictures|photos"
    r"|images)",
    "MISCONDUCT": r"(?:how (?:do i|to|can i)|help me|teach me to)\b.{0,30}\b(?:hack|launder|forge|"
    r"counterfeit|steal|shoplift|phish|bypass security|evade tax|break into|cook meth)\w*",
}
_WEAK = {
    "PROMPT_ATTACK": r"system prompt|act as|new instructions|roleplay|no restrictions",
    "VIOLENCE": r"kill\w*|murder\w*|stab\w*|bomb\w*|weapon\w*|torture\w*|massacre|assault\w*",
    "HATE": r"vermin|subhuman|racist|supremac\w+|slurs?",
    "INSULTS": r"idiots?|morons?|stupid|dumb|losers?|pathetic|imbeciles?",
    "SEXUAL": r"porn\w*|nude|naked|erotic\w*|orgasm\w*",
    "MISCONDUCT": r"hack(?:ing|ed)?|launder\w*|counterfeit\w*|phishing|malware|ransomware|stolen",
}
_COMPILED = {
    kind: (re.compile(rf"\b(?:{_STRONG[kind]})", re.I), re.compile(rf"\b(?:{_WEAK[kind]})\b", re.I))
    for kind in _STRONG
}


def confidence(text: str, kind: str) -> str:
    """Return NONE, LOW, MEDIUM or HIGH: how sure it is that the text is of that kind."""
    strong, weak = _COMPILED[kind]
    if strong.search(text):
        return "HIGH"
    return LEVELS[min(len({match.group().lower() for match in weak.finditer(text)}), 2)]


def acts(level: str, strength: str) -> bool:
    """Whether a filter of that strength acts on that confidence."""
    return LEVELS.index(level) >= ACTS_FROM[strength]
