"""Source: from a live code object to the syntax tree that it was certainly compiled from.

Owns the cache of files and of answers. Always true:
  a tree is returned only if compiling its top-level statement again gives the very code that runs.
"""

from __future__ import annotations

import ast
import linecache
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

from .parts import FunctionNode, Part, SourceFile


@dataclass(frozen=True, slots=True)
class Located:
    """A function's syntax tree."""

    node: FunctionNode
    filename: str


@dataclass(frozen=True, slots=True)
class NotLocated:
    """Why no tree can be had."""

    why: str


_files: dict[str, SourceFile] = {}
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
    lines = linecache.getlines(code.co_filename)
    if not lines:
        return NotLocated(f"no source for {code.co_filename!r}")
    file = _files.get(code.co_filename)
    if file is None or file.lines is not lines:
        file = _files[code.co_filename] = SourceFile(code.co_filename, lines)
    for part in file.likely_parts(code.co_firstlineno):
        found = _in(part, code)
        if isinstance(found, Located):
            return found
        if _key(code) in part.codes:
            break  # it stands here, and more of the file will hardly make it another function
    whole = file.part(code.co_firstlineno)
    return NotLocated(whole) if isinstance(whole, str) else _in(whole, code)


def _key(code: CodeType) -> tuple[int, str]:
    return code.co_firstlineno, code.co_name


def _in(part: Part, code: CodeType) -> Located | NotLocated:
    if not any(_same_code(found, code) for found in part.codes.get(_key(code), ())):
        return NotLocated(f"the source of {code.co_name!r} in {Path(code.co_filename).name} is not the code that runs")
    node = _node_of(code, part.nodes.get(_key(code), []))
    if node is None:
        return NotLocated(f"{code.co_name!r} at line {code.co_firstlineno} cannot be told from its neighbours")
    return Located(node, code.co_filename)


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
