"""Take the reasoning out of what a model writes: a caller hears the answer, never how it was found.

Servers should send reasoning in a field of its own. Many write it into the answer instead, in tags that differ from
model to model; where the chat template has put the opening tag into the prompt, only the closing one is in the answer
(vLLM with Qwen3.5 or DeepSeek-R1 and no reasoning parser).
"""

from __future__ import annotations

import re

_NAMES = (
    "think|thinking|thought|thoughts|thought_process|reason|reasoning|reflect|reflection|analysis|scratchpad|monologue|"
    "inner_monologue|inner_thoughts?|internal|internal_\\w+|plan|planning|deliberation|rationale|chain_of_thought|cot"
)
_ANSWER_NAMES = "answer|final_answer|final|response|solution|output"
_BAR = "[|\uff5c]"
#: What opens or closes reasoning, and what models write around answers: XML, [THINK] (Mistral), ◁think▷ (Kimi),
#: <|channel|>analysis<|message|> (gpt-oss), <|channel>thought (Gemma), <|START_THINKING|> (Cohere).
_TAG = re.compile(
    rf"<(?P<close>/?)(?:\w+:)?(?P<name>{_NAMES})(?:\s[^<>]*?)?(?P<empty>/?)>"
    rf"|<(?P<answer_close>/?)(?P<answer>{_ANSWER_NAMES})>"
    rf"|\[(?P<square_close>/?)(?-i:THINK|THINKING|REASONING)\]"
    rf"|◁(?P<kimi_close>/?)think▷"
    rf"|<{_BAR}(?P<token>/?[\w\u2581]+){_BAR}>|(?P<gemma_open><\|channel>)|(?P<gemma_close><channel\|>)"
    rf"|(?P<leak>assistantfinal)|(?P<tool><tool_call>)",
    re.IGNORECASE,
)
#: The end of a text that may become a tag.
_PARTIAL_TAG = re.compile(
    rf"<{_BAR}?/?[\w:\u2581]{{0,30}}(?:\s[^<>]{{0,40}})?{_BAR}?/?$|\[/?[A-Z]{{0,9}}$|◁/?\w{{0,5}}$", re.ASCII
)
_LEAK = "assistantfinal"
_MAX_PARTIAL_CHARS = 80

#: Special tokens, by the part of their name that tells what they begin.
_TOKEN_OPENS = re.compile(r"((begin|start)_(of_)?)?(thought|thinking|reasoning|think)", re.IGNORECASE)
_TOKEN_CLOSES = re.compile(r"(end_(of_)?|/)(thought|thinking|reasoning|think)", re.IGNORECASE)
_TOKEN_ENDS_MESSAGE = re.compile(
    r"end(_(of_)?(solution|response|answer))?|return|call|(begin|start)_(of_)?(solution|response|answer)", re.IGNORECASE
)
#: gpt-oss: a message has a header, and the channel in it says who is meant to read it.
_HEADER_TOKENS = ("channel", "start")
_HEADER_END = "message"
_CHANNEL_FOR_CALLER = re.compile(r"(?:\A|\s)final\b|\A\s*(?:assistant)?\s*\Z", re.IGNORECASE)
_TOOL_RECIPIENT = "to="

#: Words with which models begin to think. Only after one of them is a text held back to look for the rest.
_OPENINGS = (
    "okay",
    "ok",
    "alright",
    "all right",
    "hm",
    "hmm",
    "so",
    "first",
    "we",
    "i",
    "let",
    "let's",
    "here",
    "here's",
    "thinking",
    "thought",
    "analysis",
    "wait",
    "now",
    "got",
    "also",
    "user",
    "好",
    "嗯",
    "用",
    "首",
    "那",
)
_OPENING = re.compile(rf"(?:{'|'.join(_OPENINGS)})(?![a-z])")
_SUBJECTS = (
    "the user",
    "the human",
    "der nutzer",
    "die nutzerin",
    "der benutzer",
    "die benutzerin",
    "der anwender",
    "el usuario",
    "la usuaria",
    "l'utilisat",
    "l’utilisat",
    "o usuário",
    "a usuária",
    "o utilizador",
    "a utilizadora",
)
#: A model that thinks speaks of "the user"; one that answers says "you".
_THOUGHT = re.compile(
    r"\bthe (user|human)((['’]s)? (wants?|asks?|asked|says?|said|seems?|mention(s|ed)|wrote|greeted|query|question)"
    r"|['’]s (request|message|input)| is (asking|saying|greeting|looking|requesting|trying|just|probably|likely)"
    r"|( has|['’]s)? just (asked|said|wants|greeted|says|asks)|( has| was) (ask|said|greet|provid|request|mention)\w*"
    r"| (might|may|would) (be|want|like|need|mean)| needs (to know|help|info\w*|an? answer))(?=\W)"
    # "The user has to log in", "I have to answer the phone" and "Let me break this down" are said to callers.
    r"|\b(we|i) (need to|should|must|have to|ought to) (just )?((produce|parse|output)(?=\W)|(answer|respond|reply)"
    r"(?=[:.])|(answer|respond|reply) (with|in|as|based|about|concisely|briefly|politely|appropriately|accordingly"
    r"|directly|naturally|helpfully|to the user|the user|the question)(?=\W))"
    r"|^\W*user (wants|asks?|asked|says|said|is asking)(?=\W)"
    r"|\blet me (parse|analy[sz]e) (this|the) (request|question|query|message|input|user)(?=\W)"
    r"|^\W*(here(['’]s| is) (a|my) )?(thinking|thought) process(?=\W)|^(?-i:analysis(?=[A-Z]))"
    r"|用户(问|说|想|在|询|的|需|要)"
    r"|\b(der|die) (nutzer|benutzer|anwender)(in)? (fragt|möchte|will|sagt|bittet)(?=\W)"
    r"|\b(el|la) usuari[oa] (pregunta|quiere|dice|está (preguntando|pidiendo)|pide)(?=\W)"
    r"|\bl['’]utilisat(eur|rice) (demande|veut|dit|souhaite|pose|cherche)(?=\W)"
    r"|\b[oa] (usuári[oa]|utilizadora?) (pergunta|quer|disse|está (perguntando|pedindo)|pede)(?=\W)",
    re.IGNORECASE,
)
_LEAKED_CHANNEL = re.compile(r"\s*analysis(?=[A-Z])")
_SENTENCE_END = re.compile(r"[.!?…。！？]\s|[。！？]|\n")
#: So much of an answer shows whether it may begin with a thought.
_OPENING_WORDS = 9
_OPENING_CHARS = 90
_SENTENCE_WORDS = 4


class ReasoningFilter:
    """Pass the answer on, as a model streams it, and keep the reasoning back.

    Text is held back only while it may be a tag, or after an opening such as "Okay, the …" until it is clear that it
    does not speak about the caller. Reasoning without an end is kept back to the end of the answer.

    Args:
        starts_inside: Whether the answer begins with reasoning that has no opening tag.

    Attributes:
        reasoning_chars: Characters that were kept back as reasoning.
        starts_inside: Whether this answer began with reasoning without an opening tag, as the model's next will.
    """

    def __init__(self, *, starts_inside: bool = False) -> None:
        self.reasoning_chars = 0
        self.starts_inside = starts_inside
        self._depth = 1 if starts_inside else 0
        self._is_still_inside = starts_inside
        self._is_just_open = False
        self._is_untagged = False  # whether the text itself has shown that it is reasoning
        self._buffer = ""
        self._opening: str | None = ""
        self._header: str | None = None

    def push(self, piece: str) -> str:
        """Add what the model wrote next and return what of it belongs to the answer."""
        self._buffer += piece
        passed = ""
        while tag := _TAG.search(self._buffer):
            before, self._buffer = self._buffer[: tag.start()], self._buffer[tag.end() :]
            passed += self._pass(before)
            passed += self._on_tag(tag)
        held = self._partial_tag_chars()
        ready, self._buffer = self._buffer[: len(self._buffer) - held], self._buffer[len(self._buffer) - held :]
        return passed + self._pass(ready)

    def flush(self) -> str:
        """Return what is still held back and belongs to the answer, at its end."""
        rest, self._buffer = self._buffer, ""
        passed = self._pass(rest)
        if self._opening and _THOUGHT.search(f"{self._opening}\n"):
            self._discard_opening()
        if self._is_still_inside:
            self.starts_inside = False  # or every answer of a model that has changed its ways would be lost
        return self._release_opening() + passed

    def _pass(self, text: str) -> str:
        """Return what can be passed on of a text without tags."""
        if self._header is not None:
            self._header += text
            return ""
        if self._depth:
            self.reasoning_chars += len(text)
            self._is_just_open = self._is_just_open and not text.strip()
            return ""
        if self._opening is None:
            return text
        for position, character in enumerate(text):  # one by one: the pieces of the stream make no difference
            self._opening += character
            if _THOUGHT.search(self._opening):
                self._is_untagged = True
                self._depth = 1
                self._discard_opening()
            elif _is_possible_thought(self._opening):
                continue
            return self._release_opening() + self._pass(text[position + 1 :])
        return ""

    def _on_tag(self, tag: re.Match[str]) -> str:
        """Go into reasoning or out of it; return the tag itself if it is none of reasoning."""
        if tag["tool"]:  # Qwen3.5 may call a tool in the middle of its reasoning, without a closing tag
            self._depth = 0
            return self._pass(tag[0])
        if tag["leak"]:
            return self._on_leaked_channel(tag[0])
        if tag["token"] is not None:
            return self._on_token(tag["token"], tag[0])
        if tag["answer"] is not None:
            if tag["answer_close"] or not (self._depth or self._opening):
                return ""
            self._depth = 0
            return self._release_opening()
        is_close = tag["close"] or tag["square_close"] or tag["kimi_close"] or tag["gemma_close"]
        if tag["empty"]:
            return ""
        return self._close() if is_close else self._open()

    def _on_token(self, token: str, tag: str) -> str:
        name = token.lower().replace("\u2581", "_")
        if name in _HEADER_TOKENS:
            passed = self._release_opening()
            # The recipient of a tool call may stand in front of the channel.
            before = f"{self._header} " if self._header and _TOOL_RECIPIENT in self._header else ""
            self._header, self._depth = before, 0
            return passed
        if name == _HEADER_END:
            if self._header is None:
                return ""
            header, self._header = self._header, None
            if _TOOL_RECIPIENT in header:  # a tool call, which is for others to read
                self._depth = 0
                return self._pass(f"<|channel|>{header}{tag}")
            self._depth = 0 if _CHANNEL_FOR_CALLER.search(header) else 1
            return ""
        if _TOKEN_OPENS.fullmatch(name):
            return self._open()
        if _TOKEN_CLOSES.fullmatch(name):
            return self._close()
        if not _TOKEN_ENDS_MESSAGE.fullmatch(name) or (name == "call" and not self._depth):
            return self._pass(tag)
        self._header = None
        self._depth = 0
        return ""

    def _on_leaked_channel(self, text: str) -> str:
        """Servers that drop the special tokens of gpt-oss leave "analysis…assistantfinal…"."""
        if self._depth or (self._opening and _LEAKED_CHANNEL.match(self._opening)):
            self._depth = 1
            return self._close()
        return self._pass(text)

    def _open(self) -> str:
        if self._depth and self._is_just_open:  # the chat template and the model have opened it
            return ""
        passed = self._release_opening() if not self._depth else ""
        self._depth += 1
        self._is_just_open = True
        return passed

    def _close(self) -> str:
        if not self._depth or self._is_untagged:
            self.starts_inside = True  # also if it is too late for this answer: the next one will begin so, too
        has_passed = not self._depth and self._opening is None
        self._is_still_inside = self._is_untagged = False
        self._depth = max(0, self._depth - 1)
        self._discard_opening()
        return " " if has_passed else ""

    def _release_opening(self) -> str:
        """Return the beginning that was held back: an opening tag shows that it was not reasoning."""
        opening, self._opening = self._opening, None
        return opening or ""

    def _discard_opening(self) -> None:
        self.reasoning_chars += len(self._opening or "")
        self._opening = None

    def _partial_tag_chars(self) -> int:
        tail = self._buffer[-_MAX_PARTIAL_CHARS:]
        if match := _PARTIAL_TAG.search(tail):
            return len(match[0])
        if not self._depth and self._opening is None:
            return 0
        lower = tail.lower()
        return next((size for size in range(len(_LEAK) - 1, 0, -1) if lower.endswith(_LEAK[:size])), 0)


def _is_possible_thought(text: str) -> bool:
    """Whether an answer that begins like this may turn out to be reasoning."""
    text = text.lstrip()
    if len(text) > _OPENING_CHARS or len(text.split()) > _OPENING_WORDS:
        return False
    if text and not text[0].isalnum():
        return False
    start = text.lower()
    if any(subject.startswith(start) or start.startswith(subject) for subject in _SUBJECTS):
        return True
    if not any(word.startswith(start) for word in _OPENINGS) and not _OPENING.match(start):
        return False
    ends = list(_SENTENCE_END.finditer(text))
    return not ends or len(text[: ends[-1].start()].split()) < _SENTENCE_WORDS
