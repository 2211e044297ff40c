"""Names, codes and other text: cleaned for storing, keyed for identity, folded for search and order.

    cleaned   what is shown: Unicode NFC, ends trimmed                      «  Łódź »      →  «Łódź»
    key       what is unique: NFKC, case folded, runs of blanks are one     «ŁÓDŹ»         →  «łódź»
    folded    what is searched and ordered: the key without accents         «Łódź»         →  «lodz»

What cannot be seen, such as the selector that makes ❤ a ❤️, is in neither of the two; curly quotes and dashes of
all lengths are folded into those of a keyboard: «Satriale’s» is found by «satriale's».

They are made here, in Python, so that SQLite and PostgreSQL agree on every letter.
"""

import re
import unicodedata
from itertools import filterfalse

from service.errors import UserError, UserErrorCode, user_error

NAME_LENGTH = 200
CODE_LENGTH = 64
TYPE_LENGTH = 64
DESCRIPTION_LENGTH = 2_000
# An index entry of PostgreSQL holds at most 2,704 bytes; compatibility forms can make a key 18 times as long.
KEY_BYTES = 2_000
# Longer than a description, also in its compatibility form.
LONGEST_TEXT = 20 * DESCRIPTION_LENGTH
# As in the Stream-Safe Text Format of UAX #15: no writing of any language has more marks on a letter.
MOST_MARKS = 30

_BLANKS = re.compile(r"\s+")
# What Unicode calls default ignorable: selectors of variants, joiners, marks of direction, soft hyphens.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Letters whose stroke or shape is no combining mark, so that decomposing leaves them as they are.
_STROKES = {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
_QUOTES = dict.fromkeys("‘’‚‛ʼʹ′‹›", "'") | dict.fromkeys("“”„‟″«»", '"')
_DASHES = dict.fromkeys("‐‒–—―−", "-")
_KEYBOARD = str.maketrans(_STROKES | _QUOTES | _DASHES)


def cleaned(text: str) -> str:
    """The text as it is stored and shown."""
    text = text.strip()
    return unicodedata.normalize("NFC", text).strip() if _is_calm(text) else text


def _is_calm(text: str) -> bool:
    """Whether a text can be normalised at once: not longer than any that is stored, no heap of marks on a letter.

    Marks are put in order by comparing each with those before it, so a heap of them would keep everybody waiting.
    """
    if len(text) > LONGEST_TEXT:
        return False
    if text.isascii():
        return True
    heap = 0
    for letter in text:
        heap = heap + 1 if unicodedata.combining(letter) else 0
        if heap > MOST_MARKS:
            return False
    return True


def key(text: str) -> str:
    """What makes two names or codes the same: equal keys. Applying it twice changes nothing.

    A text that is not calm is its own key.
    """
    if not _is_calm(text):
        return text
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold())
    folded = unicodedata.normalize("NFKC", _UNSEEN.sub("", folded))
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", folded.casefold())).strip()


def fold(text: str) -> str:
    """The key without accents, with a keyboard's quotes and dashes, for search and for order."""
    if not _is_calm(text):
        return text
    if text.isascii():
        return key(text)
    decomposed = unicodedata.normalize("NFKD", key(text))
    bare = decomposed if decomposed.isascii() else "".join(filterfalse(unicodedata.combining, decomposed))
    return unicodedata.normalize("NFKC", bare.translate(_KEYBOARD))


def searchable(*texts: str) -> str:
    """The folded texts, a line each: what `search` looks in."""
    return "\n".join(fold(text) for text in texts)


def fitting(text: str, ending: str = "") -> str:
    """A name made of as much of a fit text as there is room for before the ending."""
    text = text[: NAME_LENGTH - len(ending)].rstrip()
    while mistakes("", text + ending, NAME_LENGTH):
        text = text[:-1].rstrip()
    return text + ending


def mistakes(label: str, text: str, length: int, *path: str | int, required: bool = True) -> list[UserError]:
    """What is wrong with a cleaned one-line text at `path`: empty, too long, or with control characters."""
    if 0 < len(text) <= length and text.isascii() and text.isprintable() and not text.isspace():
        # The most part of all texts.
        return []
    if not key(text) or all(unicodedata.category(letter)[0] in "CZ" for letter in text):
        return [user_error(UserErrorCode.REQUIRED, f"{label} must not be empty.", *path)] if required else []
    if len(text) > length:
        message = f"{label} may have at most {length} characters; this one has {len(text)}."
        return [user_error(UserErrorCode.TOO_LONG, message, *path)]
    if not _is_calm(text):
        message = f"{label} has more than {MOST_MARKS} accents or other marks on one letter; use fewer."
        return [user_error(UserErrorCode.INVALID, message, *path)]
    if (size := len(key(text).encode("utf-8", "surrogatepass"))) > KEY_BYTES:
        message = (
            f"{label} has letters that stand for many: written out for comparing, it takes {size:,} bytes and may"
            f" take at most {KEY_BYTES:,}. Use plainer letters, or fewer of them."
        )
        return [user_error(UserErrorCode.TOO_LONG, message, *path)]
    if not text.isprintable() and any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text):
        message = f"{label} must be a single line of text without control characters."
        return [user_error(UserErrorCode.INVALID, message, *path)]
    return []


def description_mistakes(text: str, *path: str | int) -> list[UserError]:
    """What is wrong with a description at `path`; unlike a name it may have several lines."""
    if len(text) > DESCRIPTION_LENGTH:
        message = f"The description may have at most {DESCRIPTION_LENGTH} characters; this one has {len(text)}."
        return [user_error(UserErrorCode.TOO_LONG, message, *path)]
    if not text.isprintable() and any(
        unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\r\t" for letter in text
    ):
        message = "The description must not have control characters."
        return [user_error(UserErrorCode.INVALID, message, *path)]
    return []
