"""Source: from a live code object to the syntax tree that it was certainly compiled from.

Owns the cache of parsed files. Always true:
  a tree is returned only if compiling its top-level statement again gives the very code that runs.
"""

from __future__ import annotations

import ast
import linecache
import sysconfig
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Located:
    """A function's syntax tree."""

    node: FunctionNode
    filename: str


@dataclass(frozen=True, slots=True)
class NotLocated:
    """Why no tree can be had."""

    why: str


@dataclass(frozen=True, slots=True)
class _Part:
    """Some top-level statements of a file, compiled: the functions in them, by first line and name."""

    nodes: dict[tuple[int, str], list[FunctionNode]] = field(default_factory=dict)
    codes: dict[tuple[int, str], list[CodeType]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _File:
    """A parsed file; its statements are compiled when one of their functions is asked for.

    A test module of 12,000 lines takes half a second to compile and index as a whole, while a run waits for its plan.
    imports: those of its module scope. They change what the rest compiles to: those from `__future__`, and because
    CPython compiles `name.method()` in another way where `name` is imported.
    """

    name: str
    imports: list[ast.stmt]
    statements: list[ast.stmt]
    first_lines: list[int]
    parts: dict[range, _Part | str] = field(default_factory=dict)


_files: dict[str, _File | str] = {}
_file_lines: dict[str, list[str]] = {}
# The code object is kept beside the answer, so that its id cannot be given to another one.
_located: dict[int, tuple[CodeType, Located | NotLocated]] = {}


def locate(code: CodeType) -> Located | NotLocated:
    """The verified syntax tree of a code object."""
    known = _located.get(id(code))
    if known is None:
        known = (code, _locate(code))
        _located[id(code)] = known
    return known[1]


def line_of(filename: str, node: ast.AST) -> str:
    """Where a node stands, as "file.py:12"."""
    return f"{Path(filename).name}:{getattr(node, 'lineno', 0)}"


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple(str(Path(paths[name])) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


@cache
def is_library(filename: str) -> bool:
    """True for the standard library and for installed packages: code that is not the user's."""
    if filename.startswith("<frozen"):
        return True
    return any(filename.startswith(folder + "/") for folder in _library_folders()) or (
        "/site-packages/" in filename or "\\site-packages\\" in filename
    )


def _locate(code: CodeType) -> Located | NotLocated:
    file = _parsed(code.co_filename)
    part = file if isinstance(file, str) else _part_at(file, code.co_firstlineno)
    if isinstance(part, str):
        return NotLocated(part)
    key = (code.co_firstlineno, code.co_name)
    matching = [found for found in part.codes.get(key, ()) if _same_code(found, code)]
    if not matching:
        return NotLocated(f"the source of {code.co_name!r} in {Path(code.co_filename).name} is not the code that runs")
    node = _node_of(code, part.nodes.get(key, []))
    if node is None:
        return NotLocated(f"{code.co_name!r} at line {code.co_firstlineno} cannot be told from its neighbours")
    return Located(node, code.co_filename)


def _parsed(filename: str) -> _File | str:
    lines = linecache.getlines(filename)
    if not lines:
        return f"no source for {filename!r}"
    if _file_lines.get(filename) is not lines:
        _files[filename] = _parse(filename, lines)
        _file_lines[filename] = lines
    return _files[filename]


def _parse(filename: str, lines: list[str]) -> _File | str:
    try:
        statements = ast.parse("".join(lines), filename).body
    except (SyntaxError, ValueError, RecursionError) as error:
        return _does_not_compile(filename, error)
    return _File(filename, list(_imports(statements)), statements, [_first_line(statement) for statement in statements])


def _imports(nodes: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """Of the scope that the nodes are in."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case) and not isinstance(node, _SCOPES):
            yield from _imports(ast.iter_child_nodes(node))


def _does_not_compile(filename: str, error: Exception) -> str:
    return f"{filename!r} does not compile: {error}"


def _part_at(file: _File, line: int) -> _Part | str:
    """The statements that a line of the file is in; several may share it."""
    stop = bisect_right(file.first_lines, line)
    start = stop
    while start and (file.statements[start - 1].end_lineno or 0) >= line:
        start -= 1
    which = range(start, stop)
    if which not in file.parts:
        file.parts[which] = _compile(file, file.statements[start:stop])
    return file.parts[which]


def _compile(file: _File, statements: list[ast.stmt]) -> _Part | str:
    part = _Part()
    try:
        module = ast.Module([*file.imports, *statements], type_ignores=[])
        compiled = compile(module, file.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError) as error:
        return _does_not_compile(file.name, error)
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            part.nodes.setdefault((_first_line(node), node.name), []).append(node)
        elif isinstance(node, ast.Lambda):
            part.nodes.setdefault((node.lineno, "<lambda>"), []).append(node)
    for code in _codes_in(compiled):
        part.codes.setdefault((code.co_firstlineno, code.co_name), []).append(code)
    return part


def _first_line(statement: ast.stmt) -> int:
    """Where a statement begins, its decorators included: what a code object calls its first line."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)


def _same_code(left: CodeType, right: CodeType) -> bool:
    return (
        left.co_code == right.co_code
        and left.co_names == right.co_names
        and left.co_varnames == right.co_varnames
        and left.co_freevars == right.co_freevars
        and left.co_cellvars == right.co_cellvars
        and left.co_flags == right.co_flags
        and left.co_argcount == right.co_argcount
        and left.co_kwonlyargcount == right.co_kwonlyargcount
        and left.co_posonlyargcount == right.co_posonlyargcount
        and left.co_exceptiontable == right.co_exceptiontable
        and left.co_firstlineno == right.co_firstlineno
        and list(left.co_positions()) == list(right.co_positions())
        and len(left.co_consts) == len(right.co_consts)
        and all(_same_constant(a, b) for a, b in zip(left.co_consts, right.co_consts, strict=True))
    )


def _same_constant(left: object, right: object) -> bool:
    if isinstance(left, CodeType) and isinstance(right, CodeType):
        return _same_code(left, right)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_same_constant, left, right))
    return type(left) is type(right) and repr(left) == repr(right)


def _node_of(code: CodeType, nodes: list[FunctionNode]) -> FunctionNode | None:
    if len(nodes) == 1:
        return nodes[0]
    lambdas = [node for node in nodes if isinstance(node, ast.Lambda)]
    if len(lambdas) != len(nodes):
        return None
    # Several lambdas start on this line. The code's instructions span exactly the body of one of them.
    spans = [span for span in code.co_positions() if span[2] is not None and span[3] is not None and span[3] > 0]
    if not spans:
        return None
    start = min((line or 0, column or 0) for line, _, column, _ in spans)
    end = max((line or 0, column or 0) for _, line, _, column in spans)
    exact = [node for node in lambdas if _span(node.body) == (start, end)]
    return exact[0] if len(exact) == 1 else None


def _span(node: ast.expr) -> tuple[tuple[int, int], tuple[int, int]]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
