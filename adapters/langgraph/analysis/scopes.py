"""Scopes: which names a function binds, and which of them other code may see or rebind.

Always true:
  a name that a nested function, class or generator expression mentions is `shared`:
  its value is then joined over the whole function instead of following the flow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType

from .parts import FunctionNode
from .values import Site, Value

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the text of a function says about its names."""

    bound: frozenset[str]
    shared: frozenset[str]
    global_names: frozenset[str]
    outer_names: frozenset[str]
    comprehension_names: frozenset[str]
    is_generator: bool


@dataclass(slots=True)
class Scope:
    """One activation of a function, comprehension or class body."""

    kind: str  # function, comprehension, class
    site: Site
    shape: Shape
    filename: str
    module: dict[str, object]
    builtins: Mapping[str, object]
    parent: Scope | None = None
    cells: dict[str, object] = field(default_factory=dict)  # live cells of a live function
    class_name: str = ""
    first: str = ""  # the first parameter of a live function, which a bare `super()` takes
    env: dict[str, Value] = field(default_factory=dict)
    collectors: list[dict[str, Value]] = field(default_factory=list)


_shapes: dict[int, tuple[ast.AST, Shape]] = {}


def shape_of(node: FunctionNode | ast.ClassDef) -> Shape:
    known = _shapes.get(id(node))
    if known is None:
        known = (node, _shape(node))
        _shapes[id(node)] = known
    return known[1]


def agrees(shape: Shape, code: CodeType) -> bool:
    """True when the compiler saw the same local names."""
    names = {*code.co_varnames, *code.co_cellvars}
    return shape.bound <= names and names <= shape.bound | shape.comprehension_names


def comprehension_shape(node: ast.expr) -> Shape:
    known = _shapes.get(id(node))
    if known is None:
        names: set[str] = set()
        for generator in getattr(node, "generators", ()):
            names |= _stored(generator.target)
        known = (
            node,
            Shape(frozenset(names), frozenset(names), frozenset(), frozenset(), frozenset(), False),
        )
        _shapes[id(node)] = known
    return known[1]


def _shape(node: FunctionNode | ast.ClassDef) -> Shape:
    bound: set[str] = set()
    shared: set[str] = set()
    global_names: set[str] = set()
    outer_names: set[str] = set()
    comprehension_names: set[str] = set()
    generator = False
    if not isinstance(node, ast.ClassDef):
        bound |= set(parameter_names(node.args))
    for child in _own_nodes(node):
        bound |= _bound_by(child)
        if isinstance(child, ast.Global):
            global_names |= set(child.names)
        elif isinstance(child, ast.Nonlocal):
            outer_names |= set(child.names)
        elif isinstance(child, ast.Yield | ast.YieldFrom):
            generator = True
        elif isinstance(child, _COMPREHENSIONS):
            comprehension_names |= comprehension_shape(child).bound
            # A walrus inside binds in this function, once for each item.
            shared |= {n.target.id for n in ast.walk(child) if isinstance(n, ast.NamedExpr)}
        if isinstance(child, (*_FUNCTIONS, ast.ClassDef, ast.GeneratorExp)):
            shared |= {n.id for n in ast.walk(child) if isinstance(n, ast.Name)}
            shared |= {name for n in ast.walk(child) if isinstance(n, ast.Nonlocal) for name in n.names}
    bound -= global_names | outer_names
    if isinstance(node, ast.ClassDef):
        shared |= bound
    return Shape(
        frozenset(bound),
        frozenset(shared & bound),
        frozenset(global_names),
        frozenset(outer_names),
        frozenset(comprehension_names),
        generator,
    )


def parameter_names(arguments: ast.arguments) -> Iterator[str]:
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        yield argument.arg
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            yield rest.arg


def _own_nodes(node: FunctionNode | ast.ClassDef) -> Iterator[ast.AST]:
    """The nodes that run in the scope of a function or class, comprehensions included."""
    todo: list[tuple[ast.AST, bool]] = []
    body = node.body if isinstance(node.body, list) else [node.body]
    todo.extend((child, True) for child in body)
    while todo:
        child, _ = todo.pop()
        yield child
        if isinstance(child, _FUNCTIONS):
            todo.extend((part, True) for part in outer_parts(child))
        elif isinstance(child, ast.ClassDef):
            parts = [*child.decorator_list, *child.bases, *(keyword.value for keyword in child.keywords)]
            todo.extend((part, True) for part in parts)
        else:
            todo.extend((part, True) for part in ast.iter_child_nodes(child))


def outer_parts(node: FunctionNode) -> list[ast.AST]:
    """What of a nested function runs where it is defined: decorators, defaults and annotations."""
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    defaults = [*node.args.defaults, *(value for value in node.args.kw_defaults if value is not None)]
    return [*decorators, *defaults, *signature_annotations(node)]


def signature_annotations(node: FunctionNode) -> list[ast.expr]:
    """The annotations in a signature."""
    spec = node.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    found = [argument.annotation for argument in named if argument is not None]
    found.append(None if isinstance(node, ast.Lambda) else node.returns)
    return [annotation for annotation in found if annotation is not None]


def _bound_by(node: ast.AST) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ExceptHandler):
        return {node.name} if node.name else set()
    if isinstance(node, ast.MatchAs | ast.MatchStar):
        return {node.name} if node.name else set()
    if isinstance(node, ast.MatchMapping):
        return {node.rest} if node.rest else set()
    if isinstance(node, ast.NamedExpr):
        return {node.target.id}
    if isinstance(node, ast.For | ast.AsyncFor):
        return _stored(node.target)
    if isinstance(node, ast.Assign):
        return set().union(*(_stored(target) for target in node.targets))
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return _stored(node.target)
    if isinstance(node, ast.With | ast.AsyncWith):
        return set().union(*(_stored(item.optional_vars) for item in node.items if item.optional_vars))
    if isinstance(node, ast.Delete):
        return set().union(*(_deleted(target) for target in node.targets))
    return set()


def _stored(target: ast.expr) -> set[str]:
    if isinstance(target, ast.Name):
        return {target.id}
    if isinstance(target, ast.Starred):
        return _stored(target.value)
    if isinstance(target, ast.Tuple | ast.List):
        return set().union(*(_stored(item) for item in target.elts))
    return set()


def _deleted(target: ast.expr) -> set[str]:
    return _stored(target)
