"""Turn what models write into what voices can say, as it is streamed.

Models are told to write plain sentences, and write Markdown, stage directions, tags, tables, formulas and addresses all
the same. Here a text passes three steps: its characters (``speech_characters``), tags and data (``speech_tags``), then
short stretches of words, in which marks become words or vanish (``speech_markup``) and numbers are read as people say
them (``spoken_numbers``). Only the voice gets the result: the transcript and the history keep what the model wrote.

The result does not depend on how the text is cut into pieces. Plain words are passed on at once; what may change by the
text behind it is held back until it is complete, or too long to be anything but text.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator

from agent_worker.text.speech_characters import SpeechCharacters
from agent_worker.text.speech_markup import Markup, Place, StillOpenError
from agent_worker.text.speech_tags import DATA_MARK, SpeechTags
from agent_worker.text.spoken_numbers import begins_with_date, numbers_as_words

#: A stretch without a place to cut is cut here.
_MAX_STRETCH_CHARS = 600
_MAX_LINE_CHARS = 2_000
_CONTEXT_CHARS = 60

_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_PARTIAL_FENCE = re.compile(r"[ ]{0,3}(?:`{1,2}|~{1,2})\Z")
_RULE = re.compile(r"\s*(?:(?:[-*_=+~]\s*){3,})\Z")
_PARTIAL_RULE = re.compile(r"\s*(?:[-*_=+~][-*_=+~ ]*|[-:][-:| ]*)\Z")
_TABLE_ROW = re.compile(r"\s*\|")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*\Z")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+")
_QUOTE = re.compile(r"\s*(?:>\s?)*>(?:\s|(?![\d$€£¥₹=]))")  # not ">50"
_BULLET = re.compile(r"\s*[-*+•–—◦▪‣·]\s+(?:\[[ xX]?\]\s+)?")
_NUMBERED = re.compile(r"\s*(?:\*\*|__)?(\d{1,3})[.)](?:(?:\*\*|__)?\s+(?=\S)|(?:\*\*|__)?(?=[^\W\d_]{2}))")
#: "The steps: 1. Open it. 2. Read it."
_NUMBERED_IN_LINE = re.compile(r"(?<=[:;,.!?]) (\d{1,2})[.)] (?=[^\W\d_]|\*)|(?<=\w) (\d{1,2})\) (?=[^\W\d_]|\*)")
_LINE_STOP = ".!?…:;,。！？"
_SENTENCE_ENDS = ".!?…。！？"
_CLOSING = ".,;:!?…)]}»”%’'\"。！？、，；："
_BEFORE_WORD = " \"'“«¿¡-•#>"
_CURRENCY = "$€£¥₹"
_WIDE_STOPS = "。！？；"
_NO_SPACE = re.compile(
    r"(?<=[^\W\d_][^\W\d_]|[^\W\d_][)\"”»]|\d[\d)]|[\s$€£:\d]\d)([.!?…]+)"
    r"(?=[¿¡]|[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ'’]|[IAOEYÀÉ](?:\s|$))"
)
_NO_SPACE_COMMA = re.compile(r"(?<=[^\W\d_][^\W\d_])([,;])(?=[^\W\d_][^\W\d_])")
_ABBREVIATED_NUMBER = re.compile(r"(?<!\w)(?:(?:No|no|Nr|nr|N[úu]m|n[úu]m)\.|[Nn][º°]) ?(?=\d)")


class Speakable:
    """The stream of text for a voice.

    Args:
        language: Language tag of the text.
        numbers: Whether amounts, times, phone numbers, dates and identifiers are written as words.
    """

    def __init__(self, language: str, *, numbers: bool = True) -> None:
        self._characters = SpeechCharacters()
        self._tags = SpeechTags()
        self._words = _Words(language, numbers)

    @property
    def has_words(self) -> bool:
        """Whether it is certain that something is spoken, though it may still be held back."""
        return self._words.has_words

    def push(self, piece: str) -> str:
        """Add the next piece of the text and return what can be spoken by now."""
        return self._words.push(self._tags.push(self._characters.push(piece)))

    def flush(self) -> str:
        """Return the rest at the end of the text."""
        passed = self._words.push(self._tags.push(self._characters.flush()))
        return passed + self._words.push(self._tags.flush()) + self._words.flush()


async def speakable(text: AsyncIterable[str], language: str, *, numbers: bool = True) -> AsyncIterator[str]:
    """Yield a streamed text as a voice can say it; nothing if there is nothing to say."""
    stream = Speakable(language, numbers=numbers)
    async for piece in text:
        if ready := stream.push(piece):
            yield ready
    if rest := stream.flush():
        yield rest


def spoken_text(text: str, language: str, *, numbers: bool = True) -> str:
    """Return a whole text as a voice can say it; empty if there is nothing to say."""
    stream = Speakable(language, numbers=numbers)
    return stream.push(text) + stream.flush()


class _Words:
    """Reads lines and stretches of them."""

    def __init__(self, language: str, numbers: bool) -> None:
        self._language = language
        self._numbers = numbers
        self._markup = Markup(language)
        self._out = _Output()
        self._held = ""
        self._at_line_start = True
        self._fence = ""
        self._table: _Table | None = None

    @property
    def has_words(self) -> bool:
        is_word = not self._at_line_start and not self._fence and self._held.lstrip(_BEFORE_WORD)[:1].isalnum()
        return is_word or bool(self._out.context)

    def push(self, text: str) -> str:
        for character in text:
            self._push_character(character)
        return self._out.take()

    def flush(self) -> str:
        if not self._fence:
            self._end_of_text()
        self._held = ""
        return self._out.take()

    def _push_character(self, character: str) -> None:
        if self._fence:
            self._push_in_fence(character)
            return
        if character == DATA_MARK:
            return
        if not self._at_line_start and not character.isspace() and self._may_cut(character):
            self._speak(character, is_last=False)
        if self._at_line_start and self._is_block(character):
            return
        self._held += character
        if character in _WIDE_STOPS or len(self._held) > _MAX_STRETCH_CHARS:
            self._speak(None, is_last=len(self._held) > _MAX_STRETCH_CHARS)

    # --- lines ---

    def _is_block(self, character: str) -> bool:
        """Take the character if the line may still be a rule, a fence or a row of a table."""
        line = self._held + character
        if character == "\n":
            self._held = ""
            self._end_of_line(line)
            return True
        if not line.strip() or _PARTIAL_FENCE.match(line) or _TABLE_ROW.match(line) or _FENCE.match(line):
            self._held = line
            if len(line) > _MAX_LINE_CHARS:
                self._held = ""
                self._end_of_line(line)
            return True
        if _PARTIAL_RULE.match(line) and len(line) <= _MAX_STRETCH_CHARS:
            self._held = line
            return True
        self._end_table()
        self._at_line_start = False
        self._held = ""
        self._out.begin_line()
        for each in line:
            self._push_character(each)
        return True

    def _end_of_line(self, line: str) -> None:
        """Read a line that was held back as a whole, without its words being known yet."""
        text = line.rstrip("\n")
        if not text.strip():
            self._end_table()
            self._out.end_line(is_paragraph=True)
        elif fence := _FENCE.match(text):
            if fence[1] in text[fence.end() :]:
                self._speak_line(text.strip("`~ "))
            else:
                self._end_table()
                self._fence = fence[1]
        elif _TABLE_ROW.match(text):
            self._table = self._table or _Table()
            for row in self._table.push(text):
                self._speak_line(row)
        elif not _RULE.match(text) and not _TABLE_RULE.match(text):
            self._speak_line(text)
        else:
            self._out.end_line(is_paragraph=True)

    def _speak_line(self, text: str) -> None:
        self._out.begin_line()
        self._held = text
        self._at_line_start = False
        self._speak(None, is_last=True)
        self._out.needs_stop = True
        self._out.end_line(is_paragraph=False)
        self._at_line_start = True

    def _end_table(self) -> None:
        table, self._table = self._table, None
        for row in table.flush() if table else ():
            self._speak_line(row)

    def _push_in_fence(self, character: str) -> None:
        self._held += character
        if character == "\n" or len(self._held) > _MAX_LINE_CHARS:
            line, self._held = self._held.strip(), ""
            if line.startswith(DATA_MARK):
                self._speak_line(line.removeprefix(DATA_MARK))
            elif line.startswith(self._fence) and not line.strip("`~"):
                self._fence = ""
            self._held = ""
            self._at_line_start = True

    def _end_of_text(self) -> None:
        held = self._held
        if not self._at_line_start:
            self._speak(None, is_last=True)
        elif held.strip() and (_TABLE_ROW.match(held) or _RULE.match(held)):
            self._held = ""
            self._end_of_line(held)
        elif held.strip() and not _FENCE.match(held) and not _PARTIAL_RULE.match(held):
            self._at_line_start = False
            self._speak(None, is_last=True)
        self._end_table()
        self._out.end_text()

    # --- stretches ---

    def _may_cut(self, following: str) -> bool:
        """Whether the text in front of ``following`` can be read without what comes."""
        words = self._held.rstrip()
        space = self._held[len(words) :]
        if not words or not space or "\n" in space:
            return bool(words and space)
        if following.isdigit() or following in _CLOSING or following in _CURRENCY or following in "+=°^&|<>~–—-":
            return False
        last = words.split()[-1]
        if any(character.isdigit() or character in _CURRENCY for character in last):
            return False
        return re.fullmatch(r"[^\w]*\w\.|[#+\-=<>~^*/&|]+", last) is None

    def _speak(self, following: str | None, *, is_last: bool) -> None:
        """Speak what is held back, unless it depends on more text. A new line begins behind a newline."""
        held = self._held
        words = self._without_line_mark(held)
        try:
            text = self._markup.without_structure(words, Place(self._out.last, following, is_last))
        except StillOpenError as still_open:
            self._speak_until(len(held) - len(words) + still_open.position)
            return
        self._held = ""
        text = _NUMBERED_IN_LINE.sub(lambda item: f" {item[1] or item[2]}: ", text)
        text = _NO_SPACE.sub(r"\1 ", text)
        if self._numbers:
            text = _ABBREVIATED_NUMBER.sub(self._number_sign, text)
            text = numbers_as_words(text, self._language, self._out.context, following or "")
        text = self._markup.symbols_as_words(text)
        text = _NO_SPACE_COMMA.sub(r"\1 ", text)
        is_row = re.search(r"\s\|\s", words) is not None
        self._out.needs_stop = self._out.needs_stop or words != held or is_row
        *lines, rest = text.split("\n")
        for line in lines:
            self._out.add(line)
            self._out.end_line(is_paragraph=not line.strip())
        self._out.add(rest)
        if "\n" in held[len(held.rstrip()) :]:
            self._at_line_start = True

    def _speak_until(self, position: int) -> None:
        """Speak what stands in front of a construct that is still open."""
        held = self._held
        self._held = held[:position]
        if self._may_cut(held[position]):
            self._speak(held[position], is_last=False)
        self._held += held[position:]

    def _number_sign(self, sign: re.Match[str]) -> str:
        """Read "No. 5", in which a voice would hear the end of a sentence; an answer may be "No. 5 is too many"."""
        before = (self._out.context + " " + sign.string[: sign.start()]).rstrip()
        begins = not before or before[-1] in _SENTENCE_ENDS
        return sign[0] if begins and sign[0].startswith("No.") else f"{self._markup.number} "

    def _without_line_mark(self, text: str) -> str:
        """Return the stretch without the mark of its line: of a heading, a quotation or an item of a list."""
        if not self._out.is_at_line_start:
            return text
        text = _QUOTE.sub("", text, count=1) if _QUOTE.match(text) else text
        for mark in (_HEADING, _BULLET):
            if found := mark.match(text):
                text = text[found.end() :]
        # "1. Louvre" would be cut behind the number, by every voice that takes whole sentences.
        found = _NUMBERED.match(text)
        if found and not begins_with_date(text, self._language):
            return f"{found[1]}: {text[found.end() :]}"
        return text


class _Table:
    """Reads the rows of a table: each cell with the name of its column."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._first: list[str] | None = None
        self._rows = 0

    def push(self, line: str) -> list[str]:
        """Add a row and return the sentences that are certain by now."""
        self._rows += 1
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if self._rows == 1:
            self._first = cells
            return []
        if _TABLE_RULE.match(line):
            if self._rows == 2 and self._first is not None:
                self._names, self._first = self._first, None
            return []
        return [*self.flush(), self._sentence(cells)]

    def flush(self) -> list[str]:
        """Return the first row, if it turned out not to name the columns."""
        first, self._first = self._first, None
        return [self._sentence(first)] if first else []

    def _sentence(self, cells: list[str]) -> str:
        if len(self._names) < len(cells) or len(cells) < 2:
            return ", ".join(filter(None, cells))
        named = (
            f"{name} {cell}" if name else cell for name, cell in zip(self._names[1:], cells[1:], strict=False) if cell
        )
        return f"{cells[0]}: {', '.join(named)}" if cells[0] else ", ".join(named)


class _Output:
    """Joins what is spoken: single spaces, no lone marks, and a stop at the end of a line that has none.

    Attributes:
        last: The last character that was spoken, or a newline at the beginning of a line.
        context: The end of what was spoken.
        needs_stop: Whether the line is a heading, an item or a row, which ends like a sentence.
        is_at_line_start: Whether nothing of the line was spoken yet.
    """

    def __init__(self) -> None:
        self.context = ""
        self.needs_stop = False
        self.is_at_line_start = True
        self._ready: list[str] = []
        self._space = False

    @property
    def last(self) -> str:
        return "\n" if self.is_at_line_start else self.context[-1:]

    def take(self) -> str:
        """Return what was added since the last call."""
        ready, self._ready = "".join(self._ready), []
        return ready

    def begin_line(self) -> None:
        self.is_at_line_start = True

    def add(self, text: str) -> None:
        """Add a stretch of the line."""
        for token in re.findall(r"\s+|\S+", text):
            if token.isspace():
                self._space = True
            else:
                self._add_token(token)

    def end_line(self, *, is_paragraph: bool) -> None:
        """End the line, with a stop if it needs one."""
        if (self.needs_stop or is_paragraph) and self.context and self._ends_openly():
            self._emit(".")
        if not is_paragraph:
            self.needs_stop = False
        self.is_at_line_start = True
        self._space = True

    def end_text(self) -> None:
        if self.needs_stop and self.context and self._ends_openly():
            self._emit(".")

    def _ends_openly(self) -> bool:
        return self.context.rstrip("\"'”»)")[-1:] not in _LINE_STOP

    def _add_token(self, token: str) -> None:
        last = self.context[-1:]
        if not any(map(str.isalnum, token)):
            token = self._mark(token, last)
            if not token:
                return
            if token[0] not in "–—-%&+":
                self._space = False
        self._emit((" " if self._space and last else "") + token)
        self._space = False
        self.is_at_line_start = False

    def _mark(self, token: str, last: str) -> str:
        """Return what is spoken of a token without a letter or digit: marks of the word in front of it."""
        if not last:
            return ""
        if token[0] in "–—-" and (last.isalnum() or last in ")\"'”»%"):
            return "–" if set(token) == {"-"} and self._space else token
        if token in ("&", "+") and last.isalnum():
            return token  # in a language without words for them
        marks = "".join(character for character in token if character in _CLOSING)
        if not self._space and (last.isalnum() or last in _CLOSING):
            return token
        return marks[:1] if last.isalnum() and marks and marks[0] in ".,;:!?…%" else ""

    def _emit(self, text: str) -> None:
        self._ready.append(text)
        self.context = (self.context + text)[-_CONTEXT_CHARS:]
