"""Text from files, on its way to a terminal, a report or a name: whatever it holds, it is read as text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

#: What a terminal obeys or a reader cannot see: control characters, half a character, breaks of lines and paragraphs,
#: and marks that turn the direction of what follows.
_UNSEEN = {"Cc", "Cs", "Zl", "Zp", "Cf"}
#: Of these the two that words and emoji need: they join and part letters.
_JOINERS = "\u200c\u200d"


def visible(text: object) -> str:
    r"""Return text with everything that a terminal would obey, or that could not be written, as an escape: \x1b.

    A byte of a file name that is not UTF-8 comes out as that byte, \xe9.
    """
    plain = str(text)
    if plain.isprintable():
        return plain
    return "".join(_escape(char) if _is_unseen(char) else char for char in plain)


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN and char not in _JOINERS


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # as Python keeps such a byte
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible_line(text: object) -> str:
    """Return the same in one line, each run of white space as one blank."""
    return visible(" ".join(str(text).split()))


def shortened(text: str, most: int) -> str:
    """Return text of at most `most` characters, its end cut off where it is longer."""
    return text if len(text) <= most else text[: most - 1] + "…"


def both_ends(text: str, most: int) -> str:
    """Return text of at most `most` characters, without its middle where it is longer."""
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 3].rstrip()} … {text[-end:].lstrip()}"


def enumerated(names: Sequence[str]) -> str:
    """Return names in a sentence: "a", "a and b", "a, b and c"; nothing where there are none."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def first_of(names: Sequence[str], most: int) -> str:
    """Return the first names of a list, so many at most, and how many more there are: "a, b and 3 more"."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def escape(text: object) -> str:
    """Return text of a user's as it can stand in a markdown table: no markup, no link, no cell ends, one line."""
    plain = html.escape(visible_line(text), quote=False)
    plain = re.sub(r"([\\`*\[\]|~$])", r"\\\1", plain)
    plain = re.sub(r"^(\d{0,9})(?=[-+=#.)](?:[-+=#\s]|$))", r"\1\\", plain)  # which begins a heading or a list
    plain = re.sub(r":(?=//)|(?<=\bwww)\.", r"\\\g<0>", plain, flags=re.IGNORECASE)  # which become links by themselves
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", plain)  # inside a word it is no markup


def setting(value: object) -> str:
    """Return a parameter's value as short text: 0.001, not 0.0010000."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
