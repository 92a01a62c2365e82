"""Figures of one Rust file: its lines, its comments, its tests, and its long functions."""

import re
from dataclasses import dataclass

from .tokens import closing, tokens, without_tests

LINE_COMMENT = re.compile(r"^\s*//")
TEST = re.compile(r"^\s*#\[(?:\w+::)?test\b", re.MULTILINE)


@dataclass(frozen=True)
class Function:
    name: str
    line: int
    lines_count: int


def lines_count(source):
    return source.count("\n")


def comment_lines_count(source):
    return sum(1 for line in source.splitlines() if LINE_COMMENT.match(line))


def tests_count(source):
    return len(TEST.findall(source))


def code_lines(source):
    """The numbers of the lines that hold more than a comment."""
    return {token.line for token in tokens(source)}


def functions(source):
    """Every function with a body, outside tests; its length counts the lines of code in its body, as clippy does."""
    body, found = without_tests(tokens(source)), []
    filled = code_lines(source)
    for position, token in enumerate(body):
        if token.text != "fn" or position + 1 >= len(body) or body[position + 1].kind != "ident":
            continue
        start = opening(body, position)
        if start is not None:
            first, last = body[start].line, body[closing(body, start)].line
            length = sum(1 for line in range(first + 1, last) if line in filled)
            found.append(Function(body[position + 1].text, token.line, length))
    return found


def opening(body, position):
    """Where the body of the function at `position` opens; None if it has none."""
    while position < len(body):
        text = body[position].text
        if text == ";":
            return None
        if text == "{":
            return position
        position = closing(body, position) + 1 if text in {"(", "["} else position + 1
    return None
