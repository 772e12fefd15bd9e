"""Read amounts, times, phone numbers, dates and identifiers as people say them.

'4155550123' is said digit by digit, in groups, and '$7667.47' in dollars and cents. Plain numbers, such as "45
minutes", are left to the voice. The rules that spell a number are CLDR's, from the package unicode-rbnf.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml  # type: ignore[import-untyped]
from unicode_rbnf import RbnfEngine

from agent_worker.text.language import base_language

#: Longer numbers are no amounts: they are read digit by digit.
_MAX_AMOUNT_DIGITS = 15
#: So many digits without a mark between them are no quantity that anybody says.
_MIN_PHONE_DIGITS = 7
_MAX_PHONE_DIGITS = 30
#: Behind "order number", fewer digits are read one by one too.
_MIN_NAMED_DIGITS = 3
_MAX_GROUP_DIGITS = 5
_MIN_IDENTIFIER_CHARS = 5
_MIN_IDENTIFIER_DIGITS = 3
#: The same behind the name of an identifier: "the code is K7QX".
_MIN_NAMED_IDENTIFIER_CHARS = 4
#: Letters and digits that change so often are no name: "K7QX2P".
_MIN_CODE_CHARS, _MIN_CODE_CHANGES = 6, 3
_MAX_QUANTITY_DIGITS = 4
_MIN_YEAR, _MAX_YEAR = 1100, 2100
_MAX_NAME_WORDS_BEFORE = 5
#: What may stand between the name of an identifier and its digits: "the code is 4821".
_LINKS = (
    "is|was|no|number|code|id|now|the|ist|war|lautet|nr|die|est|le|était|es|el|era|é|o|foi|número|numéro|nummer|postal"
)

#: Other ways to write a currency of ``data/numbers``. Not "CAD", which is also what engineers draw with.
_ALIASES = {
    "A$": "AU$",
    "C$": "CA$",
    "Mex$": "MX$",
    "$US": "US$",
    "$ US": "US$",
    "$CA": "CA$",
    "$ CA": "CA$",
    "$CAN": "CA$",
    "$ CAN": "CA$",
    "S$": "SG$",
    "USD": "US$",
    "AUD": "AU$",
    "NZD": "NZ$",
    "HKD": "HK$",
    "SGD": "SG$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "INR": "₹",
    "BRL": "R$",
}
#: Codes that say which dollars or pesos "$5" are: "$5 CAD".
_CODES = {
    **{code: symbol for code, symbol in _ALIASES.items() if code.isalpha() and symbol.endswith("$")},
    "CAD": "CA$",
    "TWD": "NT$",
    "MXN": "MX$",
}
_NUMBER = r"\d+(?:[.,']\d+)*(?: \d{3})*(?:[.,]\d+)?"
#: "5000000" is a quantity, and no telephone number.
_ROUND = re.compile(r"[1-9]\d{0,3}0{5,}")
_US_STATE = re.compile(
    r"\b(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])\Z"
)
_FIRST_MONTH_REGIONS = ("en-US", "en", "en-CA", "en-PH")


@dataclass(frozen=True)
class _Rules:
    """How one language reads numbers."""

    language: str
    words: Mapping[str, Any]

    @property
    def digits(self) -> list[str]:
        return str(self.words["digits"]).split()

    def spell(self, number: int, rule: str = "plain") -> str:
        name = self.words["rules"][rule]
        return _engine(self.language).format_number(number, ruleset_names=[name]).text

    def word(self, name: str) -> str:
        return str(self.words[name])


@cache
def _engine(language: str) -> RbnfEngine:
    return RbnfEngine.for_language(language)


@cache
def _rules(language: str) -> _Rules | None:
    language = base_language(language)
    file = resources.files("agent_worker.text") / "data" / "numbers" / f"{language}.yaml"
    if not language.isalpha() or not file.is_file():
        return None
    return _Rules(language, yaml.safe_load(file.read_text(encoding="utf-8")))


def preload(language: str) -> None:
    """Load what a language needs, which takes tens of milliseconds."""
    if rules := _rules(language):
        rules.spell(1)
        _patterns(language)


@dataclass(frozen=True)
class _Around:
    """The text in front of a stretch, and the first character behind it."""

    before: str
    following: str


def numbers_as_words(text: str, language: str, before: str = "", following: str = "") -> str:
    """Return the text with words for what voices read wrongly; unchanged in a language without rules.

    Args:
        text: A stretch of text.
        language: Language tag.
        before: The text in front of the stretch: "your order number is" shows that "4821" is no quantity.
        following: The first character behind it, if there is one: the dot of "9 a.m." may end a sentence.
    """
    if not any(map(str.isdigit, text)) or _rules(language) is None:
        return text
    around = _Around(before, following)
    for pattern, read in _patterns(language):
        text = pattern.sub(lambda match, read=read: read(match, around), text)  # type: ignore[misc]
    return text


def begins_with_date(text: str, language: str) -> bool:
    """Whether a text begins with the day of a month, "1. Mai", which looks like the number of an item in a list."""
    rules = _rules(language)
    found = re.match(r"\s*\d{1,2}\. (\w+)", text)
    return bool(rules and found and found[1] in rules.words["months"])


Read = Callable[[re.Match[str], _Around], str]


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], Read]]:
    """Return what is recognised, in this order, and how it is read."""
    rules = _rules(language)
    assert rules is not None
    months = "|".join(rules.words["months"])
    amounts, times, dates, digits = _Amounts(rules), _Times(rules), _Dates(rules, language), _Digits(rules)
    currency = "|".join(sorted(map(re.escape, (*rules.words["currency"], *_ALIASES)), key=len, reverse=True))
    scale = "|".join(map(re.escape, (*rules.words["scales"], *rules.words["short_scales"])))
    per = r"(?P<per> ?/ ?(?=[^\W\d_]))?"
    not_inside = r"(?<![\w.,:/@-])"
    listed: list[tuple[str, Read]] = [
        # Dates first: their digits and marks look like phone numbers.
        (rf"{not_inside}(?P<y>\d{{4}})(?P<sep>[/-])(?P<m>\d{{2}})(?P=sep)(?P<d>\d{{2}})(?![\w/-])", dates.iso),
        (
            rf"{not_inside}(?P<a>\d{{1,2}})(?P<sep>[/-]|\. ?)(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}|\d{{2}})"
            r"(?![\w/-]|\.\d)",
            dates.numeric,
        ),
        *_month_patterns(rules, months, dates),
        (
            rf"(?<![\w.,])(?P<sign>[-−])?(?P<cur>{currency}) ?(?P<n>{_NUMBER})"
            rf"(?:(?: ?(?P<scale1>{scale}))? ?[-–—] ?(?:{currency})? ?(?P<n2>{_NUMBER}))?"
            rf"(?: ?(?P<scale>{scale})(?!\w))?(?: ?(?P<code>{'|'.join(_CODES)})(?!\w))?{per}(?![\d%])",
            amounts.read,
        ),
        (
            rf"(?<![\w.,$€£¥₹])(?P<sign>[-−])?(?P<n>{_NUMBER})(?: ?[-–—] ?(?P<n2>{_NUMBER}))?"
            rf"(?: ?(?P<scale>{scale}))? ?(?P<cur>{currency})(?![\w$€£]){per}",
            amounts.read,
        ),
        *(2 * _time_patterns(rules, times)),  # twice, for the second time of "9 AM-5 PM"
        # Identifiers with letters, then digits alone.
        (
            r"(?<![\w.,:/@-])#?(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?![\w@-]|\.\w)",
            digits.identifier,
        ),
        (r"(?<![\w.,:/@-])(?P<hash>#)?(?P<n>\+?\(?\d[\d().\-–/ ]*\d)(?![\w%$€£]|[.,:]\d)", digits.number),
    ]
    return [(re.compile(pattern), read) for pattern, read in listed]


# --- amounts ---


class _Amounts:
    def __init__(self, rules: _Rules) -> None:
        self._rules = rules

    def read(self, match: re.Match[str], _: _Around) -> str:
        symbol, code = _ALIASES.get(match["cur"], match["cur"]), match.groupdict().get("code")
        if code and symbol not in ("$", _CODES[code]):
            return match[0]
        currency = self._rules.words["currency"][_CODES[code] if code else symbol]
        first, second = self._parse(match["n"]), self._parse(match["n2"]) if match["n2"] else None
        if first is None or (match["n2"] and second is None):
            return match[0]
        scale = self._scale(match["scale"])
        read = self._amount(second or first, currency, scale)
        if second:
            scale1 = self._scale(match.groupdict().get("scale1"))
            read = f"{self._amount(first, None, scale1)} {self._rules.word('to')} {read}"
        sign = f"{self._rules.word('minus')} " if match["sign"] else ""
        return sign + read + (f" {self._rules.word('per')} " if match["per"] else "")

    def _scale(self, scale: str | None) -> str | None:
        return self._rules.words["short_scales"].get(scale, scale) if scale else None

    def _parse(self, number: str) -> tuple[int, str] | None:
        """Return the whole part and the decimals of a number as people write it."""
        number = number.replace(" ", "").replace("'", "")
        marks = re.findall(r"[.,]", number)
        decimal = ""
        if marks:
            whole, _, last = number.rpartition(marks[-1])
            is_decimal = len(last) != 3 or (len(marks) == 1 and marks[-1] == self._rules.word("decimal"))
            if len(set(marks)) == 2 and marks.count(marks[-1]) == 1:
                is_decimal = True
            elif marks.count(marks[-1]) > 1 or (last == "000" and whole != "0"):
                is_decimal = False
            number, decimal = (whole, last) if is_decimal else (number, "")
        digits = re.sub(r"\D", "", number)
        return (int(digits), decimal) if 0 < len(digits) <= _MAX_AMOUNT_DIGITS else None

    def _amount(self, number: tuple[int, str], currency: list[str] | None, scale: str | None) -> str:
        whole, decimal = number
        one, many, cent, cents, gender = currency or ("", "", "", "", "m")
        if scale or (decimal and len(decimal) > 2) or currency is None:
            return self._with_scale(whole, decimal, scale, many)
        hundredths = int(decimal.ljust(2, "0")) if decimal else 0
        parts = []
        if whole or not hundredths:
            joiner = f" {self._rules.words['scale_of']} " if self._is_round_million(whole) else " "
            parts.append(_elided(f"{self._rules.spell(whole, gender)}{joiner}{one if whole == 1 else many}"))
        if hundredths:
            parts.append(f"{self._rules.spell(hundredths, 'm')} {cent if hundredths == 1 else cents}")
        return f" {self._rules.word('currency_and')} ".join(parts)

    def _with_scale(self, whole: int, decimal: str, scale: str | None, unit: str) -> str:
        read = self._rules.spell(whole, "f" if scale and self._rules.language == "de" else "m" if scale else "plain")
        if decimal.rstrip("0") or (decimal and not scale):
            digits = " ".join(self._rules.digits[int(digit)] for digit in decimal)
            read += f" {self._rules.word('point')} {digits}"
        of = self._rules.words["scale_of"] if scale and scale not in ("mil", "mille") else ""
        return _elided(" ".join(part for part in (read, scale or "", of if unit else "", unit) if part))

    def _is_round_million(self, whole: int) -> bool:
        return bool(self._rules.words["scale_of"]) and whole > 0 and whole % 1_000_000 == 0


def _elided(text: str) -> str:
    """Return "millions d'euros" for "millions de euros"."""
    return re.sub(r"(llions?|lliards?) de (?=[aeiou])", r"\1 d'", text)


# --- times ---


def _time_patterns(rules: _Rules, times: _Times) -> list[tuple[str, Read]]:
    begin = r"(?<![\w.,:/@–—-])"
    since = r"(?:(?P<from>[01]?\d|2[0-4]) ?[-–—] ?)?"
    half = r"(?: ?(?P<half>[AaPp])(?P<dot>\. ?)?[Mm](?P<end>\.)?(?!\w))"
    minutes = r"(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)(?::00)?(?![\d:])"  # with seconds it may be a duration
    hours = r"(?P<h>[01]?\d|2[0-4])"
    mark = {"de": r"(?: ?(?P<unit>Uhr)\b)", "es": r"(?: ?(?P<unit>h|hs|hrs|horas)\b(?:\.(?= ?[a-z,]))?)"}.get(
        rules.language
    )
    clock = r"(?: ?(?:h|hrs|o['’]clock)\b)" + (f"|{mark}" if mark else "")
    range_end = r"(?P<dash> ?[-–—] ?(?=\d{1,2}(?:[:h]\d{2}|\s?h\b|\s?[AaPp]\.?[Mm])))?"
    patterns: list[tuple[str, Read]] = [
        (rf"{begin}{minutes}{half}?(?:{clock})?{range_end}", times.read),
        (rf"{begin}{since}{hours}{half}{range_end}", times.read),
    ]
    if rules.language == "de":
        patterns.append((rf"{begin}{since}{hours}(?:\.(?P<m>[0-5]\d))?{mark}", times.read))
    if rules.language in ("fr", "pt"):
        patterns.append((rf"{begin}{since}{hours} ?h(?: ?(?P<m>[0-5]\d))?(?:min)?(?!\w){range_end}", times.read))
    return patterns


class _Times:
    def __init__(self, rules: _Rules) -> None:
        self._rules = rules

    def read(self, match: re.Match[str], around: _Around) -> str:
        found = match.groupdict()
        hour, minute = int(match["h"]), int(found.get("m") or 0)
        half = (found.get("half") or "").upper()
        if half and not 0 < hour <= 12:
            half = ""
        dash = f" {self._rules.word('to')} " if found.get("dash") else ""
        # "9 a.m." may end a sentence; its dot is kept if the next one begins.
        following = match.string[match.end() :].lstrip() or around.following
        stop = "." if found.get("end") and not dash and not following[:1].islower() and following[:1] != "," else ""
        start = f"{self._rules.spell(int(found['from']))} {self._rules.word('to')} " if found.get("from") else ""
        return start + self._time(hour, minute, half) + stop + dash

    def _time(self, hour: int, minute: int, half: str) -> str:
        rules, forms = self._rules, self._rules.words["time"]
        if rules.language == "en":
            return self._english(hour, minute, half)
        halves = rules.words.get("halves")
        if half and not halves:
            hour = hour % 12 + (12 if half == "P" else 0)
        gender = "m" if rules.language == "de" else "f"
        values = {"h": rules.spell(hour, gender), "m": rules.spell(minute)}
        one = "one_" if hour == 1 and "one" in forms else ""
        form = forms[f"{one}minutes"] if minute else forms[one.rstrip("_") or "full"]
        if half and halves:
            form = form.replace(" en punto", "")
            index = 0 if half == "A" else 2 if 8 <= hour < 12 else 1
            return f"{form.format(**values)} {halves[index]}"
        return str(form.format(**values)).replace("zéro heures", "zéro heure")

    def _english(self, hour: int, minute: int, half: str) -> str:
        suffix = f" {half}M" if half else ""
        spoken_hour = self._rules.spell(12 if hour in (0, 24) and minute else hour)
        if not minute:
            if half:
                return f"{spoken_hour}{suffix}"
            if hour in (0, 24):
                return "midnight"
            return f"{spoken_hour} hundred" if hour > 12 else f"{spoken_hour} o'clock"
        zero = f"{self._rules.words['time']['zero']} " if minute < 10 else ""
        return f"{spoken_hour} {zero}{self._rules.spell(minute)}{suffix or (' AM' if hour == 0 else '')}"


# --- dates ---


def _month_patterns(rules: _Rules, months: str, dates: _Dates) -> list[tuple[str, Read]]:
    year = r"(?:,? (?P<y>1[1-9]\d{2}|20\d{2})(?!\d|[.,:]\d))?"
    if rules.language == "en":
        short = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
        day = r"(?P<d>[0-3]?\d)(?:st|nd|rd|th)?"
        last = r"(?: ?[-–—] ?(?P<d2>[0-3]?\d)(?:st|nd|rd|th)?)?"
        return [
            (rf"\b(?P<month>{months}|(?:{short})\b\.?) {day}{last}(?![\d:.,%]\d|\d|%|\w){year}", dates.named),
            (
                rf"(?<![\w.,:/-]){day}{last}(?: of)? "
                rf"(?P<month>{months}|(?:{short})\b(?:\.(?= ?[a-z\d,]))?)(?!\w){year}",
                dates.named,
            ),
        ]
    if rules.language == "de":
        return [
            (
                rf"(?<![\w.,:/-])(?P<d>[0-3]?\d)\.(?P<link> ?[-–—] ?| (?:bis(?: zum)?|und|oder) )"
                rf"(?=[0-3]?\d\. ?(?:{months})\b)",
                dates.german_first,
            ),
            (rf"(?<![\w.,:/-])(?P<d>[0-3]?\d)\. ?(?P<month>{months})\b{year}", dates.german),
            (r"(?<![\w.,:/-])(?P<d>[0-3]?\d)\.(?P<m>[01]?\d)\.(?![\d-])", dates.german_without_year),
            (r"(?<![\w.,:/-])(?P<d>\d{1,2})\. (?=[A-ZÄÖÜ][a-zäöüß])", dates.german_ordinal),
        ]
    return []


class _Dates:
    def __init__(self, rules: _Rules, language: str) -> None:
        self._rules = rules
        self._month_first = language in _FIRST_MONTH_REGIONS

    def iso(self, match: re.Match[str], around: _Around) -> str:
        return self._date(match, int(match["y"]), int(match["m"]), int(match["d"]), around.before)

    def numeric(self, match: re.Match[str], around: _Around) -> str:
        first, second, year = int(match["a"]), int(match["b"]), int(match["y"])
        if len(match["y"]) == 2:
            if match["sep"] == "-":
                return match[0]
            year += 2000 if year < 70 else 1900
        month_first = self._month_first and match["sep"][0] != "."
        day, month = (second, first) if month_first and first <= 12 else (first, second)
        if month > 12:
            day, month = month, day
        return self._date(match, year, month, day, around.before)

    def named(self, match: re.Match[str], around: _Around) -> str:
        month = 1 + next(
            number
            for number, name in enumerate(self._rules.words["months"])
            if match["month"] == name or (self._rules.language == "en" and name.startswith(match["month"][:3]))
        )
        read = self._date(match, int(match["y"]) if match["y"] else None, month, int(match["d"]), around.before)
        last = match.groupdict().get("d2")
        if not last or read == match[0]:
            return read
        first, comma, year = read.partition(",")
        return f"{first} {self._rules.word('to')} {self._rules.spell(int(last), 'ordinal')}{comma}{year}"

    def german(self, match: re.Match[str], around: _Around) -> str:
        return self.named(match, around)

    def german_first(self, match: re.Match[str], around: _Around) -> str:
        """Read the first day of "vom 3. bis 5. Mai"."""
        link = match["link"] if match["link"].strip(" ").isalpha() or "zum" in match["link"] else " bis "
        ordinal = self._german_ordinal(match, int(match["d"]), around.before)
        return match[0] if ordinal is None else f"{ordinal}{link}"

    def german_without_year(self, match: re.Match[str], around: _Around) -> str:
        """Read "am 3.1."; without an article it may be a chapter."""
        day, month = int(match["d"]), int(match["m"])
        ordinal = self._german_ordinal(match, day, around.before, needs_article=True)
        if ordinal is None or not (1 <= month <= 12 and day <= 31):
            return match[0]
        is_end = not match.string[match.end() :].strip() and not around.following
        return f"{ordinal} {self._rules.words['months'][month - 1]}{'.' if is_end else ''}"

    def german_ordinal(self, match: re.Match[str], around: _Around) -> str:
        """Read "im 3. Stock" as one, in which a voice would hear the end of a sentence."""
        if (ordinal := self._german_ordinal(match, int(match["d"]), around.before, needs_article=True)) is None:
            return match[0]
        return f"{ordinal} "

    def _date(self, match: re.Match[str], year: int | None, month: int, day: int, before: str) -> str:
        if not (1 <= month <= 12 and 1 <= day <= 31) or (year and not _MIN_YEAR <= year <= _MAX_YEAR):
            return match[0]
        rules, name = self._rules, self._rules.words["months"][month - 1]
        spelled_year = rules.spell(year, "year") if year else ""
        if rules.language == "en":
            return f"{name} {rules.spell(day, 'ordinal')}" + (f", {spelled_year}" if year else "")
        if rules.language == "de":
            return f"{self._german_ordinal(match, day, before)} {name} {spelled_year}".rstrip()
        first = {"fr": "premier", "es": "primero", "pt": "primeiro"}[rules.language] if day == 1 else rules.spell(day)
        of = rules.words["of"]
        return " ".join(filter(None, (first, of, name, of if year else "", spelled_year)))

    def _german_ordinal(
        self, match: re.Match[str], day: int, before: str, *, needs_article: bool = False
    ) -> str | None:
        if day == 0:
            return None
        ending_in_n = self._rules.spell(day, "ordinal")
        words = f"{before} {match.string[: match.start()]}".split()
        article = words[-1].lower() if words else ""
        if re.fullmatch(
            r"(a|i|vo|zu|bei)m|de[nmrs]|zur|vom|bis|ab|seit|nach|vor|unser\w+|jede[nmr]|eine[nmr]|und", article
        ):
            return ending_in_n if article != "der" or not self._is_subject(words) else ending_in_n[:-1]
        if article in ("der", "die", "das", "jede"):
            return ending_in_n[:-1]
        return None if needs_article else ending_in_n[:-1] + "r"

    @staticmethod
    def _is_subject(words: list[str]) -> bool:
        """Whether "der" is a nominative: not behind a preposition, as in "in der 3. Etage"."""
        return len(words) < 2 or words[-2].lower() not in (
            "in",
            "an",
            "auf",
            "mit",
            "von",
            "aus",
            "zu",
            "bei",
            "nach",
            "vor",
            "ab",
            "seit",
        )


# --- phone numbers and identifiers ---


class _Digits:
    def __init__(self, rules: _Rules) -> None:
        self._rules = rules
        named = "|".join(map(re.escape, rules.words["named"]))
        self._named = re.compile(
            rf"(?<!\w)(?:\w*(?:nummer|number|code)|{named})(?: ?[:#]| (?:{_LINKS}))*\Z", re.IGNORECASE
        )

    def number(self, match: re.Match[str], around: _Around) -> str:
        # The zero in brackets is not dialled from abroad.
        text = re.sub(r" ?\(0\)", " ", match["n"]) if match["n"].startswith("+") else match["n"]
        digits = re.sub(r"\D", "", text)
        is_named = bool(match["hash"]) or self._is_named(match, around.before) or self._is_zip(match, around.before)
        if not self._is_spoken_by_digits(text, digits, is_named):
            years = re.fullmatch(r"(1[1-9]\d{2}|20\d{2}) ?[-–] ?(1[1-9]\d{2}|20\d{2})", text)
            return f"{years[1]} {self._rules.word('to')} {years[2]}" if years else match[0]
        prefix = f"{self._rules.word('number')} " if match["hash"] else ""
        plus = f"{self._rules.word('plus')} " if text.startswith("+") else ""
        opened = "(" if text.count("(") < text.count(")") else ""
        return prefix + opened + plus + self._in_groups(text, digits)

    def identifier(self, match: re.Match[str], around: _Around) -> str:
        text = match[0].lstrip("#")
        is_named = self._is_named(match, around.before)
        min_chars, min_digits = (
            (_MIN_NAMED_IDENTIFIER_CHARS, 1) if is_named else (_MIN_IDENTIFIER_CHARS, _MIN_IDENTIFIER_DIGITS)
        )
        compact = text.replace("-", "")
        digits = sum(map(str.isdigit, compact))
        changes = len(re.findall(r"(?<=[A-Za-z])\d|(?<=\d)[A-Za-z]", compact))
        quantity = re.fullmatch(rf"\d{{1,{_MAX_QUANTITY_DIGITS}}}[A-Za-z]{{1,3}}", text)  # "500MB"
        is_quantity = quantity is not None and not is_named
        is_code = text == text.upper() or (len(compact) >= 8 and changes >= 2)
        is_mixed = len(compact) >= _MIN_CODE_CHARS and changes >= _MIN_CODE_CHANGES
        is_long = len(compact) >= min_chars and (digits >= min_digits or is_mixed)
        if not is_long or is_quantity or not is_code:
            return match[0]
        parts = re.findall(r"[A-Za-z]+|\d+", text)
        read = [self._digit_groups(part) if part.isdigit() else " ".join(part.upper()) for part in parts]
        prefix = f"{self._rules.word('number')} " if match[0].startswith("#") else ""
        return prefix + ", ".join(read)

    def _is_named(self, match: re.Match[str], before: str) -> bool:
        words = f"{before} {match.string[: match.start()]}".split()[-_MAX_NAME_WORDS_BEFORE:]
        return self._named.search(" ".join(words)) is not None

    def _is_zip(self, match: re.Match[str], before: str) -> bool:
        """Whether it is the code behind a state: "Austin, TX 78701"."""
        state = f"{before} {match.string[: match.start()]}".rstrip()[-_MIN_NAMED_DIGITS:]
        is_code = re.fullmatch(r"\d{5}(?:-\d{4})?", match["n"]) is not None
        return is_code and self._rules.language == "en" and _US_STATE.search(state) is not None

    def _is_spoken_by_digits(self, text: str, digits: str, is_named: bool) -> bool:
        groups = [len(group) for group in re.findall(r"\d+", text)]
        if text.isdigit():
            is_code = digits.startswith("0") and len(digits) > 1
            least = _MIN_NAMED_DIGITS if is_named else _MIN_PHONE_DIGITS
            return is_code or (len(digits) >= least and (is_named or not _ROUND.fullmatch(text)))
        is_range = re.fullmatch(r"\d{1,3}-\d{1,3}", text) is not None  # "call 24-48 hours before"
        if is_named and len(digits) > _MIN_NAMED_DIGITS and not is_range and re.fullmatch(r"\d+(?:[ -]\d+)+", text):
            return True
        if not _MIN_PHONE_DIGITS <= len(digits) <= _MAX_PHONE_DIGITS:
            return False
        if re.fullmatch(r"\d+[.,]\d+", text):
            return False  # a decimal number
        if re.fullmatch(r"\d{1,3}(?:[ .]\d{3})+", text):  # thousands, unless a phone number is written like that
            return text[0] in "6789" and groups == [3, 3, 3] and self._rules.language in ("es", "pt")
        if len(groups) == 2 and not text.startswith(("+", "0", "(")):
            return groups == [3, 4]
        return " - " not in text and " – " not in text

    def _in_groups(self, text: str, digits: str) -> str:
        groups: list[str] = re.findall(r"\d+", text)
        if len(groups) == 1:
            return self._digit_groups(digits)
        if self._rules.language == "fr" and all(len(group) == 2 for group in groups[1 if text[0] == "+" else 0 :]):
            return ", ".join(map(self._pair, groups))
        return ", ".join(map(self._digit_groups, groups))

    def _digit_groups(self, digits: str) -> str:
        if self._rules.language == "fr" and len(digits) == 10 and digits.startswith("0"):
            return ", ".join(self._pair(digits[start : start + 2]) for start in range(0, 10, 2))
        return ", ".join(" ".join(self._rules.digits[int(digit)] for digit in group) for group in _grouped(digits))

    def _pair(self, pair: str) -> str:
        if len(pair) != 2 or pair.startswith("0"):
            return " ".join(self._rules.digits[int(digit)] for digit in pair)
        return self._rules.spell(int(pair))


def _grouped(digits: str) -> list[str]:
    """Return digits in the groups in which people say them: 3-3-4 for ten of them, fours for a card."""
    count = len(digits)
    if count <= _MAX_GROUP_DIGITS:
        return [digits]
    if count == 11 and digits.startswith("1"):
        return ["1", *_grouped(digits[1:])]
    if count % 4 == 0:
        return [digits[start : start + 4] for start in range(0, count, 4)]
    sizes = [3] * (count // 3)
    if count % 3 == 1:
        sizes[-1] += 1
    elif count % 3 == 2:
        sizes.append(2)
    groups, start = [], 0
    for size in sizes:
        groups.append(digits[start : start + size])
        start += size
    return groups
