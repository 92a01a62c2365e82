"""Rust source as a list of tokens, and the parts of it that are tests left out."""

import re
from dataclasses import dataclass

SCANNER = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<raw>\b(?:br|cr|r)(?P<hashes>\#*)"(?:.*?)"(?P=hashes))
    | (?P<string>(?:\b[bc])?"(?:\\.|[^"\\])*")
    | (?P<char>(?:\bb)?'(?:\\(?:u\{[0-9a-fA-F_]*\}|x..|.)|[^'\\])')
    | (?P<lifetime>'[A-Za-z_]\w*)
    | (?P<ident>(?:r\#)?[A-Za-z_]\w*)
    | (?P<number>\d\w*(?:\.\d\w*)?)
    | (?P<path>::)
    | (?P<arrow>=>|->)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
SKIPPED = {"space", "comment"}
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
ENDS_WITH_SEMICOLON = {"use", "const", "static", "type", "let", "extern"}
TEST_CONDITION = re.compile(r"cfg\((?!not\b)[^)]*\btest\b")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    line: int


def tokens(source):
    """Every token of `source` that is neither space nor comment."""
    found, line = [], 1
    for match in SCANNER.finditer(source):
        kind, text = match.lastgroup, match.group()
        if kind == "hashes":
            kind = "raw"
        if kind not in SKIPPED:
            found.append(Token(kind, text.removeprefix("r#") if kind == "ident" else text, line))
        line += text.count("\n")
    return found


def closing(found, start):
    """The position of the bracket that closes the one at `start`."""
    depth = 0
    for position in range(start, len(found)):
        if found[position].kind == "sign":
            if found[position].text in OPEN:
                depth += 1
            elif found[position].text in CLOSE:
                depth -= 1
                if depth == 0:
                    return position
    return len(found) - 1


def attribute(found, start):
    """The text of the attribute at `start` and the position after it, or None if there is no attribute."""
    if found[start].text != "#":
        return None
    bracket = start + 1
    if bracket < len(found) and found[bracket].text == "!":
        bracket += 1
    if bracket >= len(found) or found[bracket].text != "[":
        return None
    end = closing(found, bracket)
    return "".join(token.text for token in found[bracket + 1 : end]), end + 1


def is_test_attribute(text):
    return TEST_CONDITION.search(text) is not None or re.match(r"(?:\w+::)?test\b", text) is not None


def item_end(found, start):
    """The position after the item, field, variant or statement that begins at `start`."""
    position = start
    while position < len(found) and (skipped := attribute(found, position)):
        position = skipped[1]
    words = {token.text for token in found[position : position + 3]}
    to_semicolon = bool(words & ENDS_WITH_SEMICOLON) and "fn" not in {t.text for t in found[position : position + 5]}
    is_item = bool(words & {"fn", "impl", "struct", "enum", "mod", "trait", "pub", "async", "unsafe", "macro_rules"})
    while position < len(found):
        text = found[position].text
        if text in OPEN and found[position].kind == "sign":
            end = closing(found, position)
            if text == "{" and not to_semicolon:
                return end + 1
            position = end
        elif text in CLOSE:
            return position
        elif text == ";" or (text == "," and not is_item and not to_semicolon):
            return position + 1
        position += 1
    return position


def without_tests(found):
    """The tokens of everything that is compiled without tests. Empty if the whole file is a test."""
    kept, position = [], 0
    while position < len(found):
        read = attribute(found, position)
        if read and is_test_attribute(read[0]):
            if found[position + 1].text == "!":
                return []
            while kept_attribute_before(kept):
                kept = kept[: kept_attribute_before(kept)]
            position = item_end(found, read[1])
        elif read:
            kept += found[position : read[1]]
            position = read[1]
        else:
            kept.append(found[position])
            position += 1
    return kept


def kept_attribute_before(kept):
    """Where the attribute that ends `kept` begins: it belongs to the item that is left out. None if there is none."""
    if not kept or kept[-1].text != "]":
        return None
    depth = 0
    for position in range(len(kept) - 1, -1, -1):
        depth += {"]": 1, "[": -1}.get(kept[position].text, 0)
        if depth == 0:
            return position - 1 if position and kept[position - 1].text == "#" else None
    return None
