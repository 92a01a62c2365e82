"""Runs of lines that stand in two places, the same to the letter."""

from collections import defaultdict

LINES_MIN = 6
# A run in more places than this is an idiom, not a copy.
PLACES_MAX = 8
# Lines with fewer letters, such as a closing brace, do not make a run by themselves.
LETTERS_MIN = 3


def lines_of(source):
    """(number, text) of each line with code in it."""
    for number, line in enumerate(source.splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("//"):
            yield number, text


def is_thin(window):
    return sum(sum(c.isalpha() for c in text) >= LETTERS_MIN for _, text in window) < LINES_MIN - 1


def pairs(sources):
    """The pairs of places in `sources` (path -> text) that share a run: (path, line, path, line, lines), longest first.

    Two files that share several runs are one pair, named by the longest.
    """
    lines = {path: list(lines_of(source)) for path, source in sources.items()}
    places = defaultdict(list)
    for path, content in lines.items():
        for start in range(len(content) - LINES_MIN + 1):
            window = content[start : start + LINES_MIN]
            if not is_thin(window):
                places[tuple(text for _, text in window)].append((path, start))
    longest = {}
    for found in places.values():
        if not 1 < len(found) <= PLACES_MAX:
            continue
        for i, one in enumerate(found):
            for other in found[i + 1 :]:
                length = run_length(lines, one, other)
                if length > longest.get((one[0], other[0]), (0,))[0]:
                    longest[one[0], other[0]] = (length, one[1], other[1])
    rows = [
        (a, lines[a][start_a][0], b, lines[b][start_b][0], length)
        for (a, b), (length, start_a, start_b) in longest.items()
    ]
    return sorted(rows, key=lambda row: (-row[4], str(row[0]), str(row[2])))


def run_length(lines, one, other):
    (path_a, start_a), (path_b, start_b) = one, other
    a, b, length = lines[path_a], lines[path_b], 0
    limit = min(len(a) - start_a, len(b) - start_b)
    if path_a == path_b:
        # A run does not overlap with itself.
        limit = min(limit, abs(start_b - start_a))
    while length < limit and a[start_a + length][1] == b[start_b + length][1]:
        length += 1
    return length
