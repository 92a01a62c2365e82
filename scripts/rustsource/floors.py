"""Circles of files, and modules that import upward, against the floors that `floors.toml` declares."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from .modules import Crate

# How many imports are printed for each edge of a circle.
TIES_PRINTED_MAX = 3


@dataclass(frozen=True)
class Room:
    """A folder or file of the crate that is looked at, and the floors that are declared for what is in it."""

    crate: Crate
    name: str
    path: tuple
    floors: list


def crate_errors(name, source, declared):
    """What is wrong with the modules of the crate at `source`, given its entry in `floors.toml`."""
    crate = Crate(source)
    edges = [edge for edge in crate.edges() if not is_root(edge.source)]
    known = declared.get("parents_in_circles", [])
    leaning = {edge for edge in edges if leans(edge)}
    errors = circle_errors(name, crate, [edge for edge in edges if edge not in leaning], crate.files())
    errors += parent_errors(name, crate, edges, leaning, known)
    down = [edge for edge in edges if edge not in leaning]
    for room in rooms(crate, name, (), declared):
        errors += floor_errors(room, down)
    if "floors" not in declared:
        ties = module_ties(Room(crate, name, (), []), down)
        errors += [module_circle(crate, f"circle of modules in {name}", group, ties) for group in groups(sorted(ties), ties)]
    return errors


def is_root(file):
    """The root of a crate stands above all; it may hand on what it likes."""
    return file.name in {"lib.rs", "main.rs"}


def leans(edge):
    """Whether a file imports from the `mod.rs` that it is below."""
    return edge.target.name == "mod.rs" and edge.target.parent in edge.source.parents


def rooms(crate, name, path, declared):
    """The crate itself, then every module for which floors of its own are declared."""
    if "floors" in declared:
        yield Room(crate, name, path, declared["floors"])
    for key, entry in declared.items():
        if isinstance(entry, dict):
            yield from rooms(crate, name, (*path, key), entry)


# Circles


def circle_errors(name, crate, edges, files):
    ties = {}
    for edge in edges:
        ties.setdefault(edge.source, {}).setdefault(edge.target, []).append(edge)
    errors = []
    for group in groups(files, ties):
        circle = shortest_circle(group, ties)
        shown = " -> ".join(str(file.relative_to(crate.folder)) for file in [*circle, circle[0]])
        lines = [f"circle of {len(group)} files in {name}: {shown}"]
        for source, target in zip(circle, [*circle[1:], circle[0]]):
            lines += tie_lines(crate, ties[source][target])
        errors.append("\n".join(lines))
    return errors


def tie_lines(crate, edges):
    lines = []
    for edge in edges[:TIES_PRINTED_MAX]:
        source, target = edge.source.relative_to(crate.folder), edge.target.relative_to(crate.folder)
        lines.append(f"    {source}:{edge.line} takes {edge.name} from {target}")
    if len(edges) > TIES_PRINTED_MAX:
        lines.append(f"    and {len(edges) - TIES_PRINTED_MAX} more")
    return lines


def groups(nodes, ties):
    """The strongly connected groups of more than one node (Tarjan's algorithm, without recursion)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in nodes:
        if root in index:
            continue
        work = [(root, iter(ties.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(ties.get(target, ()))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = set()
                    while node not in group:
                        group.add(stack.pop())
                    on_stack -= group
                    if len(group) > 1:
                        found.append(group)
    return found


def shortest_circle(group, ties):
    """The shortest way from a node of `group` back to it."""
    best = None
    for start in sorted(group):
        came_from, queue = {}, [start]
        while queue and start not in came_from:
            node = queue.pop(0)
            for target in sorted(ties.get(node, ())):
                if target in group and target not in came_from:
                    came_from[target] = node
                    queue.append(target)
        way = [start]
        while came_from[way[-1]] != start:
            way.append(came_from[way[-1]])
        way = [start, *reversed(way[1:])]
        if best is None or len(way) < len(best):
            best = way
    return best


def parent_errors(name, crate, edges, leaning, known):
    """Files that import from a `mod.rs` above them that, by whatever way, imports from them."""
    ties = {}
    for edge in edges:
        ties.setdefault(edge.source, set()).add(edge.target)
    errors, found = [], set()
    first = {}
    for edge in sorted(leaning, key=lambda edge: (edge.source, edge.line)):
        if edge.source in reach(edge.target, ties):
            first.setdefault((edge.source, edge.target), edge)
    for (child, target), edge in first.items():
        source, parent = child.relative_to(crate.folder), str(target.relative_to(crate.folder))
        found.add(parent)
        if parent not in known:
            errors.append(
                f"circle of parent and child in {name}: {source}:{edge.line} takes {edge.name} from {parent}, "
                "which uses it; put what both need into a file of its own"
            )
    for parent in known:
        if parent not in found:
            errors.append(f"{name}: {parent} is in no circle any more: take it out of parents_in_circles")
    return errors


def reach(start, ties):
    seen, queue = set(), [start]
    while queue:
        for target in ties.get(queue.pop(), ()):
            if target not in seen:
                seen.add(target)
                queue.append(target)
    return seen


# Floors


def floor_errors(room, edges):
    level = {module: number for number, floor in enumerate(room.floors) for module in floor}
    named = "::".join((room.name, *room.path))
    present = {child for file in room.crate.files() if (child := child_of(room, file))}
    errors = [f"{named}: the module {module} is on no floor" for module in sorted(present - set(level))]
    errors += [f"{named}: {module} is on a floor, but there is no such module" for module in sorted(set(level) - present)]
    for edge in edges:
        above, below = child_of(room, edge.source), child_of(room, edge.target)
        if above is None or below is None or above == below or above not in level or below not in level:
            continue
        if level[below] <= level[above]:
            way = "upward" if level[below] < level[above] else "sideways"
            source = edge.source.relative_to(room.crate.folder)
            errors.append(
                f"{way} import in {named}: {source}:{edge.line} takes {edge.name} from {below}, "
                f"which does not stand below {above}"
            )
    return errors


def child_of(room, file):
    """The module of `room` that `file` is, or is inside of. None for other files and for the room's own `mod.rs`."""
    parts = file.relative_to(room.crate.folder).with_suffix("").parts
    if is_root(file) or parts[: len(room.path)] != room.path:
        return None
    rest = parts[len(room.path) :]
    return rest[0] if rest and rest[0] != "mod" else None


def module_ties(room, edges):
    """For each module of `room` the others that it imports from, with the edges."""
    ties = {child: {} for file in room.crate.files() if (child := child_of(room, file))}
    for edge in edges:
        upper, lower = child_of(room, edge.source), child_of(room, edge.target)
        if upper and lower and upper != lower:
            ties[upper].setdefault(lower, []).append(edge)
    return ties


def module_circle(crate, what, group, ties):
    """What ties the modules of `group` to each other."""
    lines = [f"{what}: {', '.join(sorted(group))}"]
    for upper in sorted(group):
        for lower in sorted(group & set(ties[upper])):
            lines.append(f"  {upper} -> {lower}")
            lines += tie_lines(crate, ties[upper][lower])
    return "\n".join(lines)


def suggested(source, path=()):
    """Floors for the modules below `path` as their imports are now: what imports nothing of the others at the bottom."""
    room = Room(Crate(source), "", path, [])
    ties = module_ties(room, [edge for edge in room.crate.edges() if not is_root(edge.source) and not leans(edge)])
    for group in groups(sorted(ties), ties):
        raise ValueError(module_circle(room.crate, "no floors, because of a circle", group, ties))
    floors, placed = [], set()
    while len(placed) < len(ties):
        floor = {module for module, needs in ties.items() if module not in placed and placed.issuperset(needs)}
        placed |= floor
        floors.insert(0, sorted(floor))
    return floors


def read(file):
    """The declared floors by crate."""
    return tomllib.loads(Path(file).read_text())
