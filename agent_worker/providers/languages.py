"""Write a language tag as each provider wants it."""

from __future__ import annotations

from agent_worker.core.language_tag import MULTI
from agent_worker.text.language import base_language


def _tags(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Tags that Deepgram's nova-3 takes (developers.deepgram.com/docs/models-languages-overview, October 2026).
_NOVA_3 = _tags(
    "af ar be bg bn bs ca cs da da-DK de de-CH el en en-AU en-GB en-IN en-NZ en-US es es-419 et fa fi fr "
    "fr-CA gl gu gu-IN he hi hr hu id it ja kn ko ko-KR lt lv mk mr ms ne nl nl-BE no pa pa-IN pl pt "
    "pt-BR pt-PT ro ru sk sl sr sv sv-SE ta te th th-TH tl tr uk ur vi xh zh zh-CN zh-HK zh-Hans zh-Hant "
    "zh-TW zu "
)
#: Languages of Deepgram's flux-general-multi, for which it takes hints.
_FLUX = _tags("en es fr de hi ru pt ja it nl ")
#: Other tags of the same language.
_SAME = {"fil": "tl", "nb": "no", "nn": "no", "iw": "he", "in": "id", "cmn": "zh", "yue": "zh-HK", "zsm": "ms"}
_LATIN_AMERICA = _tags("419 AR BO CL CO CR CU DO EC GT HN MX NI PA PE PR PY SV US UY VE ")
#: ISO 639-1 codes that Whisper names otherwise.
_WHISPER_NAMES = {"fil": "tl", "nb": "no", "iw": "he", "in": "id", "cmn": "zh", "jv": "jw", "zsm": "ms"}
_WHISPER = _tags(
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr "
    "ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc "
    "pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue "
    "zh "
)


def deepgram_language(language: str, model: str) -> str:
    """Return the parameter ``language`` of Deepgram's /v1/listen.

    Nova-3 refuses what it does not list, so a tag is shortened to one that it takes: ``es-MX`` to ``es-419``, ``de-AT``
    to ``de``, ``zh-Hans-SG`` to ``zh-Hans``. A language that is not listed is passed on as it is, like every tag of
    another model: Deepgram adds languages, and its refusal is clear.
    """
    if language == MULTI or not model.startswith("nova-3"):
        return language
    subtags = language.split("-")
    subtags[0] = _SAME.get(subtags[0], base_language(subtags[0]))
    if subtags[0] == "es" and _LATIN_AMERICA.intersection(subtags):
        return "es-419"
    pairs = ["-".join([subtags[0], each]) for each in reversed(subtags[1:])]  # the region says more than the script
    return next((tag for tag in ["-".join(subtags), *pairs, subtags[0]] if tag in _NOVA_3), language)


def flux_hints(language: str) -> list[str]:
    """Return the parameter ``language_hint`` of Deepgram's flux-general-multi."""
    base = base_language(language)
    return [base] if base in _FLUX else []


def whisper_language(language: str) -> str | None:
    """Return the parameter ``language`` of Whisper and of OpenAI's transcriptions API: two letters, mostly.

    ``None`` leaves it out, and the model finds the language: for ``multi``, and for one that Whisper does not know.
    """
    base = base_language(language)
    base = _WHISPER_NAMES.get(base, base)
    return base if base in _WHISPER else None
