"""Parts: the top-level statements around a line of a file, compiled on their own.

Owns how little of a file is parsed to see one function of it. Always true:
  the positions of a part are those of the file; whether it compiles to the code that runs is for the caller to ask.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from types import CodeType

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_STATEMENT = re.compile(r"[^\W\d]|[@(\[{'\"]")
"""How a line begins that may begin a top-level statement. So may a line of a text that goes to the margin."""
_IMPORT = re.compile(r"^(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+(?:\([^)]*\)|[^\n#;]*)", re.MULTILINE)
_FIRST_LINES_TRIED = 4
_LAST_LINES_TRIED = 8

_Error = (SyntaxError, ValueError, RecursionError)
_PARSES_TRIED = 5


@dataclass(frozen=True, slots=True)
class Part:
    """Some statements of a file, compiled: the functions in them, by first line and name."""

    nodes: dict[tuple[int, str], list[FunctionNode]] = field(default_factory=dict)
    codes: dict[tuple[int, str], list[CodeType]] = field(default_factory=dict)


class SourceFile:
    """The lines of a file, parsed no further than is asked.

    To parse a file of 12,000 lines takes a tenth of a second and holds every thread up; a run waits for its plan.
    """

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name = name
        self.lines = lines
        self._excerpts: dict[range, Part | None] = {}
        self._parts: dict[range, Part | str] = {}

    # ── by an excerpt of the text ───────────────────────────────────────────────────────────────────────────

    def likely_parts(self, line: int) -> Iterator[Part]:
        """What is likely to hold the line, the likeliest first, by parsing no more than that."""
        for where in _excerpts(self.lines, line):
            if where not in self._excerpts:
                self._excerpts[where] = self._excerpt(where)
            part = self._excerpts[where]
            if part is not None:
                yield part

    def _excerpt(self, where: range) -> Part | None:
        try:
            text = "\n" * where.start + "".join(self.lines[where.start : where.stop])
            return _compiled(self.name, self._likely_imports, _parsed(text, self.name))
        except _Error:
            return None

    @cached_property
    def _likely_imports(self) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for match in _IMPORT.finditer("".join(self.lines)):
            try:
                found += _parsed(match.group(), self.name)
            except _Error:  # it reads like an import, in a text
                continue
        return found

    # ── by the whole ────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _statements(self) -> list[ast.stmt] | str:
        try:
            return _parsed("".join(self.lines), self.name)
        except _Error as error:
            return self._does_not_compile(error)

    @cached_property
    def _imports(self) -> list[ast.stmt]:
        return [] if isinstance(self._statements, str) else list(_imports(self._statements))

    def part(self, line: int) -> Part | str:
        """The statements that the line is in (several may share it), or why they cannot be had."""
        statements = self._statements
        if isinstance(statements, str):
            return statements
        stop = bisect_right(statements, line, key=_first_line)
        start = stop
        while start and (statements[start - 1].end_lineno or 0) >= line:
            start -= 1
        where = range(start, stop)
        if where not in self._parts:
            try:
                self._parts[where] = _compiled(self.name, self._imports, statements[start:stop])
            except _Error as error:
                self._parts[where] = self._does_not_compile(error)
        return self._parts[where]

    def _does_not_compile(self, error: Exception) -> str:
        return f"{self.name!r} does not compile: {error}"


def _parsed(text: str, name: str) -> list[ast.stmt]:
    """The statements of a text.

    CPython 3.11 counts how deep it is in a tree for the whole process: where another thread parses at the same time
    (langchain does, when a runnable is made), both may be told that the counts do not match.
    """
    for _ in range(_PARSES_TRIED - 1):
        try:
            return ast.parse(text, name).body
        except SystemError:
            continue
    return ast.parse(text, name).body


def _excerpts(lines: list[str], line: int) -> Iterator[range]:
    """Lines (from 0) that are likely to be the top-level statement around a line (from 1), the likeliest first."""
    above = (index for index in range(min(line, len(lines)) - 1, -1, -1) if _STATEMENT.match(lines[index]))
    below = (index for index in range(line, len(lines)) if _STATEMENT.match(lines[index]))
    stops = list(islice(chain(below, [len(lines)]), _LAST_LINES_TRIED))
    return (range(start, stop) for start in islice(above, _FIRST_LINES_TRIED) for stop in stops)


def _compiled(name: str, imports: list[ast.stmt], statements: list[ast.stmt]) -> Part:
    """The statements as they compile in a module with these imports.

    Imports change what the rest compiles to: those from `__future__`, and because CPython compiles `name.method()` in
    another way where `name` is imported.
    """
    part = Part()
    module = ast.Module([*imports, *statements], type_ignores=[])
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            part.nodes.setdefault((_first_line(node), node.name), []).append(node)
        elif isinstance(node, ast.Lambda):
            part.nodes.setdefault((node.lineno, "<lambda>"), []).append(node)
    for code in _codes_in(compile(module, name, "exec", dont_inherit=True)):
        part.codes.setdefault((code.co_firstlineno, code.co_name), []).append(code)
    return part


def _imports(nodes: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """Of the scope that the nodes are in."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case) and not isinstance(node, _SCOPES):
            yield from _imports(ast.iter_child_nodes(node))


def _first_line(statement: ast.stmt) -> int:
    """Where a statement begins, its decorators included: what a code object calls its first line."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)
