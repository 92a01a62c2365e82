"""The modules of a crate, and which file imports what from which other file.

An import is followed to the file that defines the name: through re-exports, through modules that are imported and then
named in code (`use crate::data; data::read()`), and through `super` and `self`. Tests import what they like, so they are
left out.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from .tokens import attribute, closing, item_end, tokens, without_tests

TEST_FILES = {"tests.rs", "testing.rs"}
TEST_FOLDERS = {"tests", "testing"}
DEFINES = {"fn", "struct", "enum", "trait", "type", "const", "static", "union"}
# Re-exports that are followed for one name.
STEPS_MAX = 32
QUOTED_PATH = re.compile(r'"\w+(?:::\w+)+"')


@dataclass
class Module:
    """One module: a file, or a `mod name { … }` inside one."""

    path: tuple
    file: Path
    parent: "Module | None"
    children: dict = field(default_factory=dict)
    defined: set = field(default_factory=set)
    # Name in scope -> the path that it stands for.
    imported: dict = field(default_factory=dict)
    globs: list = field(default_factory=list)
    # (path, line, whether the name is only handed on)
    uses: list = field(default_factory=list)
    words: set = field(default_factory=set)


@dataclass(frozen=True)
class Edge:
    """`source` takes `name` from `target`, in `line` of `source`."""

    source: Path
    target: Path
    name: str
    line: int


class Crate:
    """The modules below `root`, which is the folder of `lib.rs` or `main.rs`."""

    def __init__(self, root):
        self.folder = Path(root)
        entry = next((self.folder / name for name in ("lib.rs", "main.rs") if (self.folder / name).is_file()), None)
        if entry is None:
            raise FileNotFoundError(f"{root} has neither lib.rs nor main.rs")
        self.modules = []
        self.root = self._read_file(entry, (), None)

    def edges(self):
        """Every import from one file by another, once for each name."""
        found = {}
        for module in self.modules:
            for path, line, handed_on in module.uses:
                if handed_on and path[-1] not in module.words:
                    continue
                for target in self._files(module, path):
                    if target != module.file:
                        key = (module.file, target, "::".join(path))
                        found.setdefault(key, Edge(module.file, target, "::".join(path), line))
        return list(found.values())

    def files(self):
        return sorted({module.file for module in self.modules})

    # Reading

    def _read_file(self, file, path, parent):
        module = Module(path, file, parent)
        self.modules.append(module)
        self._read_body(module, without_tests(tokens(file.read_text())))
        return module

    def _read_body(self, module, body):
        position, depth = 0, 0
        while position < len(body):
            token = body[position]
            if read := attribute(body, position):
                self._read_attribute(module, body[position : read[1]])
                position = read[1]
                continue
            if token.kind == "sign" and token.text in "{}":
                depth += 1 if token.text == "{" else -1
            elif token.kind == "ident":
                if token.text == "use" and not self._is_bound(body, position):
                    position = self._read_use(module, body, position)
                    continue
                if token.text == "mod" and position + 2 < len(body) and body[position + 1].kind == "ident":
                    position = self._read_mod(module, body, position)
                    continue
                if depth == 0 and token.text in DEFINES and position + 1 < len(body):
                    self._define(module, body[position + 1])
                elif depth == 0 and token.text == "macro_rules" and position + 2 < len(body):
                    self._define(module, body[position + 2])
                elif self._starts_path(body, position):
                    position = self._read_path(module, body, position)
                    continue
                module.words.add(token.text)
            position += 1

    @staticmethod
    def _is_bound(body, position):
        """`use<'a>` in a return type names what it captures and imports nothing."""
        return position + 1 < len(body) and body[position + 1].text == "<"

    @staticmethod
    def _define(module, name):
        if name.kind == "ident":
            module.defined.add(name.text)

    def _read_mod(self, module, body, position):
        name, after = body[position + 1].text, body[position + 2].text
        if after == "{":
            end = closing(body, position + 2)
            child = Module((*module.path, name), module.file, module)
            self.modules.append(child)
            module.children[name] = child
            self._read_body(child, body[position + 3 : end])
            return end + 1
        if after == ";":
            file = self._file_of(module, name)
            if file is not None and not self._is_test(file):
                module.children[name] = self._read_file(file, (*module.path, name), module)
        return position + 3

    def _file_of(self, module, name):
        folder = self.folder.joinpath(*module.path)
        return next((f for f in (folder / f"{name}.rs", folder / name / "mod.rs") if f.is_file()), None)

    def _is_test(self, file):
        relative = file.relative_to(self.folder)
        return relative.name in TEST_FILES or bool(TEST_FOLDERS & set(relative.parts[:-1]))

    @staticmethod
    def _read_attribute(module, body):
        """Derives take paths in strings: `#[cbor(with = "crate::by_number")]`."""
        for token in body:
            if token.kind == "string" and QUOTED_PATH.fullmatch(token.text):
                module.uses.append((tuple(token.text.strip('"').split("::")), token.line, False))

    def _read_use(self, module, body, position):
        handed_on = position > 0 and body[position - 1].text in {"pub", ")"}
        end = item_end(body, position)
        self._read_tree(module, body[position + 1 : end - 1], (), handed_on)
        return end

    def _read_tree(self, module, tree, prefix, handed_on):
        """One branch of a `use`: `a::b`, `a::{b, c as d}`, `a::*`."""
        position, path = 0, list(prefix)
        while position < len(tree):
            token = tree[position]
            if token.text == "{":
                for branch in split(tree[position + 1 : closing(tree, position)]):
                    self._read_tree(module, branch, tuple(path), handed_on)
                return
            if token.text == "*":
                module.globs.append((tuple(path), token.line))
                return
            if token.kind == "ident":
                if token.text == "as":
                    self._import(module, tuple(path), tree[position + 1].text, tree[position + 1].line, handed_on)
                    return
                if not (token.text == "self" and path):
                    path.append(token.text)
            position += 1
        if path:
            self._import(module, tuple(path), path[-1], tree[-1].line, handed_on)

    @staticmethod
    def _import(module, path, name, line, handed_on):
        if name != "_":
            module.imported[name] = path
        module.uses.append((path, line, handed_on))

    @staticmethod
    def _starts_path(body, position):
        after = body[position + 1].text if position + 1 < len(body) else ""
        before = body[position - 1].text if position else ""
        return after == "::" and before != "::"

    def _read_path(self, module, body, position):
        path, line = [body[position].text], body[position].line
        position += 1
        while position + 1 < len(body) and body[position].text == "::" and body[position + 1].kind == "ident":
            path.append(body[position + 1].text)
            position += 2
        module.words.update(path)
        module.uses.append((tuple(path), line, False))
        return position

    # Resolving

    def _files(self, module, path):
        """The files that define what `path` names, as it is written in `module`."""
        found = self._resolve(module, path, STEPS_MAX)
        return [found] if found is not None else []

    def _resolve(self, module, path, steps):
        """The file that defines `path`, or None if it is a module or of another crate."""
        reached = self._walk(module, path, steps)
        return reached if isinstance(reached, Path) else None

    def _walk(self, module, path, steps):
        """The file that defines `path`, or the module that it names, or None."""
        current, at_start = module, True
        for position, name in enumerate(path):
            if steps == 0:
                return None
            if at_start and name in {"crate", "$crate"}:
                current = self.root
            elif at_start and name == "self":
                pass
            elif name == "super":
                current = current.parent
                if current is None:
                    return None
                continue
            else:
                current = self._step(current, name, steps, inside=not at_start)
                if not isinstance(current, Module):
                    return current
            at_start = False
        return current

    def _step(self, module, name, steps, inside):
        """What `name` is in `module`: a module, the file of its definition, or None."""
        if name in module.children:
            return module.children[name]
        if name in module.defined:
            return module.file
        if name in module.imported and module.imported[name] != (name,):
            return self._walk(module, module.imported[name], steps - 1)
        for path, _ in module.globs:
            reached = self._walk(module, path, steps - 1)
            if isinstance(reached, Module) and reached is not module:
                found = self._step(reached, name, steps - 1, inside=False)
                if found is not None:
                    return found
        # A macro may have made it, where the path says that it is of this module.
        return module.file if inside else None


def split(branch):
    """The parts of `branch` between commas that stand in no bracket."""
    parts, current, position = [], [], 0
    while position < len(branch):
        token = branch[position]
        if token.text == ",":
            parts.append(current)
            current = []
        elif token.text == "{":
            end = closing(branch, position)
            current += branch[position : end + 1]
            position = end
        else:
            current.append(token)
        position += 1
    return [part for part in [*parts, current] if part]
