"""Generator of what models write: words with marks around them, and parts that are not for the caller's ears.

Tags open, close, nest, and are cut off. Each part knows which of its words the caller should hear.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

#: A word that stands in hidden parts only.
HIDDEN = "zzhidden"
#: Capital and lower case letters only, and no word of a stage direction.
_WORDS = st.sampled_from(["Museum", "opens", "early", "Monday", "ticket", "garden", "café", "Straße", "niño", "você"])


@dataclass(frozen=True)
class Part:
    """A part of a text.

    Attributes:
        written: As the model writes it.
        heard: The words in it that the caller should hear.
    """

    written: str
    heard: tuple[str, ...] = ()


def _around(before: str, after: str) -> st.SearchStrategy[Part]:
    return st.lists(_WORDS, min_size=1, max_size=3).map(
        lambda words: Part(before + " ".join(words) + after, tuple(words))
    )


_PLAIN = st.lists(_WORDS, min_size=1, max_size=6).map(lambda words: Part(" ".join(words) + ". ", tuple(words)))
_MARKED = st.sampled_from(
    [
        *(("**", "** "), ("*Museum ", "* "), ("__", "__ "), ("`", "` "), ("***", "*** "), ("<b>", "</b> ")),
        *(
            ("<i><b>", "</b></i> "),
            ("\n# ", "\n"),
            ("\n- ", "\n"),
            ("\n> ", "\n"),
            ("[", "](https://x.org/a_(b)?c=1) "),
        ),
        *(("<p>", "</p>"), ('<prosody rate="slow">', "</prosody> "), ("(Museum, ", ") "), ('"', '" '), ("\n1. ", "\n")),
        *(("🎉 ", " 🎉 "), ("\u200b", "\u200b "), ("&quot;", "&quot; "), ("<speak>", "</speak>\n"), ("", ".Museum ")),
    ]
).flatmap(lambda marks: _around(*marks))
_MARKED_WORDS = _MARKED.map(
    lambda part: Part(
        part.written,
        (
            *(("Museum",) if part.written.startswith(("*Museum ", "(Museum, ")) else ()),
            *part.heard,
            *(("Museum",) if part.written.endswith(".Museum ") else ()),
        ),
    )
)
_SILENT = st.sampled_from(
    [
        *(
            "*sighs* ",
            "(pauses) ",
            "[laughs] ",
            '<break time="1s"/> ',
            "<br>",
            "\n\n",
            "\n---\n",
            "🎉 ",
            "<!-- note -->",
            "[1] ",
        ),
        f'<function=opening_time>{{"day": "{HIDDEN}"}}</function> ',
        f'<tool_call>\n{{"name": "opening_time", "arguments": {{"day": "{HIDDEN}"}}}}\n</tool_call> ',
        f'\n{{"name": "opening_time", "parameters": {{"a": ["{HIDDEN}", {{"b": "}}"}}]}}}}\n',
        f"<think>{HIDDEN} <b>{HIDDEN}</b> (pauses)</think> ",
        f"<script>{HIDDEN}()</script> ",
        f"<!-- {HIDDEN} -- <b> -->",
        f"\n```python\n{HIDDEN} = '<b>'\n```\n",
        f"<|channel|>analysis<|message|>{HIDDEN}<|end|>",
        f'<tool_code>print("{HIDDEN}")</tool_code> ',
        f"<|tool_call_begin|>{HIDDEN}<|tool_call_end|> ",
    ]
).map(Part)

#: Parts of an answer, in any order.
MODEL_PARTS = st.lists(st.one_of(_PLAIN, _MARKED_WORDS, _SILENT), max_size=8)

#: Fragments without any order: what models write when they go wrong.
FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *("<", ">", "</", "/>", "<b", "<break ", 'time="1s"', "<!--", "-->", "<|", "|>", "<think>", "</think>"),
                *(
                    "<function=x>",
                    "</function>",
                    "{",
                    "}",
                    '{"a": ',
                    '"',
                    "[",
                    "]",
                    "](",
                    "(",
                    ")",
                    "*",
                    "**",
                    "_",
                    "__",
                ),
                *(
                    "`",
                    "```",
                    "```json\n",
                    "~~",
                    "#",
                    "\n",
                    "\n\n",
                    "|",
                    "|---|",
                    "\n- ",
                    "\n1. ",
                    "1.",
                    "$",
                    "$$",
                    "\\(",
                    "\\)",
                ),
                *(
                    "\\frac{",
                    "}{",
                    "^2",
                    "&",
                    "&amp",
                    ";",
                    "&#x",
                    "@",
                    "a@b.co",
                    "https://",
                    "www.x.org",
                    "🎉",
                    "\u200d",
                    "\ufe0f",
                ),
                *(
                    "\ud83d",
                    "\ude00",
                    "$7667.47",
                    "4155550123",
                    "(415) 555-0123",
                    "09:08 AM",
                    "3. März",
                    "2025-03-01",
                    "+49 30",
                ),
                *(
                    "9h",
                    "€",
                    "No. 5",
                    "AB1234",
                    "nine.It",
                    "word",
                    "Word",
                    " ",
                    " ",
                    "。",
                    ":)",
                    "<3",
                    "*sighs*",
                    "(pau",
                    "ses)",
                ),
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=25,
).map("".join)


def written(parts: list[Part]) -> str:
    """Return the text of the parts."""
    return "".join(part.written for part in parts)
