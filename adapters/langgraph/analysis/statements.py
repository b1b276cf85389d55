"""Statements: how values flow from one to the next.

Always true:
  wherever control may jump (loops, `try`, `with`), a name keeps every value that it had on the way;
  a statement of a kind that is not listed makes every fact unknown.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from types import ModuleType

from .access import Access
from .core import Arguments
from .findings import CannotTell
from .scopes import Scope, shape_of
from .values import NEVER, NONE, OUTSIDE, SCALAR, Live, Made, Part, State, Value, is_immutable

Env = dict[str, Value]


def joined(left: Env, right: Env) -> Env:
    return {name: left.get(name, NEVER) | right.get(name, NEVER) for name in {**left, **right}}


class Statements(Access):
    """Executes statements; the answer of each is whether control can go on after it."""

    def execute(self, body: list[ast.stmt], scope: Scope) -> bool:
        for statement in body:
            self.step()
            handler = getattr(self, f"_do_{type(statement).__name__.lower()}", None)
            if handler is None:
                where = self.line(scope, statement)
                raise CannotTell(f"uses {type(statement).__name__}, which is not understood ({where})")
            if handler(statement, scope) is False:
                return False
        return True

    # Binding.
    def bind(self, name: str, value: Value, scope: Scope, node: ast.AST) -> None:
        shape = scope.shape
        if name in shape.global_names:
            self._rebind_outside(("global", id(scope.module), name), value, scope, node, name)
        elif name in shape.outer_names or name not in shape.bound:
            self._bind_outer(name, value, scope, node)
        elif name in shape.shared:
            self.heap.grow_slot((*scope.site, "name", name), value)
        else:
            scope.env[name] = value
            for collector in scope.collectors:
                collector[name] = collector.get(name, NEVER) | value

    def _bind_outer(self, name: str, value: Value, scope: Scope, node: ast.AST) -> None:
        current = scope
        while True:
            if current is not scope and current.kind == "function" and name in current.shape.bound:
                self.heap.grow_slot((*current.site, "name", name), value)
                return
            if name in current.cells:
                self._rebind_outside(("cell", id(current.cells[name])), value, scope, node, name)
                return
            if current.parent is None:
                raise CannotTell(f"binds {name!r} where it could not be found ({self.line(scope, node)})")
            current = current.parent

    def _rebind_outside(self, slot: tuple[object, ...], value: Value, scope: Scope, node: ast.AST, name: str) -> None:
        self.change_outside(f"binds the outer name {name!r}", scope, node)
        self.heap.grow_slot(slot, value)
        self.keep(value, scope, node)

    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            self.bind(target.id, value, scope, target)
        elif isinstance(target, ast.Starred):
            held = self.holder("list", value, scope, target, "starred")
            self.assign(target.value, held, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target, value, scope)
        elif isinstance(target, ast.Attribute):
            owner = self.evaluate(target.value, scope)
            self.store_attribute(owner, self.mangled(target.attr, scope), value, scope, target)
        elif isinstance(target, ast.Subscript):
            owner = self.evaluate(target.value, scope)
            self.store_item(owner, self.evaluate(target.slice, scope), value, scope, target)
        else:
            raise CannotTell(f"assigns to {type(target).__name__} ({self.line(scope, target)})")

    def _unpack(self, target: ast.Tuple | ast.List, value: Value, scope: Scope) -> None:
        exact = self.exact_items(value)
        starred = any(isinstance(item, ast.Starred) for item in target.elts)
        if exact is not None and not starred and len(exact) == len(target.elts):
            for item, part in zip(target.elts, exact, strict=True):
                self.assign(item, part, scope)
            return
        inside = self.elements(value, scope, target)
        for item in target.elts:
            self.assign(item, inside, scope)

    def _do_assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.evaluate(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def _do_annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if not node.simple:  # the annotations of plain locals are not run
            self.evaluate(node.annotation, scope)
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value, scope), scope)

    def _do_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            old = self.look_up(target.id, scope, target)
        elif isinstance(target, ast.Attribute):
            owner = self.evaluate(target.value, scope)
            old = self.load_attribute(owner, self.mangled(target.attr, scope), scope, target)
        else:
            old = self.load_item(self.evaluate(target.value, scope), self.evaluate(target.slice, scope), scope, target)
        value = self.evaluate(node.value, scope)
        for atom in old:
            self._augment(frozenset({atom}), value, scope, node)
        held = frozenset(atom for atom in old if not is_immutable(atom))
        self.assign(target, held | self.combine(old, value, scope, node), scope)

    def _augment(self, old: Value, value: Value, scope: Scope, node: ast.AugAssign) -> None:
        (atom,) = old
        if is_immutable(atom):
            return
        if isinstance(atom, Made | State):
            self.merge_into(old, value, scope, node)
            return
        self.read_whole(value, "takes over all of the state", scope, node)
        inside = value | self.elements_of_made(value)
        what = f"changes {self.name_in(node.target)} in place"
        self.change(old, inside, scope, node, what)

    def _do_delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            self._delete(target, scope)

    def _delete(self, target: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self._delete(item, scope)
        elif isinstance(target, ast.Subscript | ast.Attribute):
            owner = self.evaluate(target.value, scope)
            if isinstance(target, ast.Subscript):
                self.load_item(owner, self.evaluate(target.slice, scope), scope, target)
            else:
                self.load_attribute(owner, self.mangled(target.attr, scope), scope, target)
            for atom in owner:
                if isinstance(atom, State):
                    self.assign_state(scope, target)
                elif not isinstance(atom, Made):
                    what = f"deletes {self.name_in(target)}"
                    self.change(frozenset({atom}), NEVER, scope, target, what)
        elif isinstance(target, ast.Name) and target.id in scope.shape.global_names | scope.shape.outer_names:
            self.change_outside(f"deletes the outer name {target.id!r}", scope, target)

    # Simple statements.
    def _do_expr(self, node: ast.Expr, scope: Scope) -> None:
        self.evaluate(node.value, scope)

    def _do_return(self, node: ast.Return, scope: Scope) -> bool:
        value = NONE if node.value is None else self.evaluate(node.value, scope)
        self.heap.grow_slot((*scope.site, "returns"), value)
        return False

    def _do_raise(self, node: ast.Raise, scope: Scope) -> bool:
        for part in (node.exc, node.cause):
            if part is not None:
                self.heap.grow_slot(("raised",), self.evaluate(part, scope))
        return False

    def _do_assert(self, node: ast.Assert, scope: Scope) -> None:
        self.truth(node.test, scope)
        if node.msg is not None:
            self.heap.grow_slot(("raised",), self.evaluate(node.msg, scope))

    def _do_pass(self, node: ast.Pass, scope: Scope) -> None: ...

    def _do_global(self, node: ast.Global, scope: Scope) -> None: ...

    def _do_nonlocal(self, node: ast.Nonlocal, scope: Scope) -> None: ...

    def _do_break(self, node: ast.Break, scope: Scope) -> bool:
        return False

    def _do_continue(self, node: ast.Continue, scope: Scope) -> bool:
        return False

    def _do_import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.split(".")[0]
            module = self._module(name, scope, node)
            self.bind(alias.asname or name, module, scope, node)

    def _module(self, name: str, scope: Scope, node: ast.AST) -> Value:
        module = sys.modules.get(name)
        return OUTSIDE if module is None else frozenset({self.live(module, scope, node)})

    def _do_importfrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        name = "." * node.level + (node.module or "")
        package = scope.module.get("__package__")
        if node.level:
            try:
                name = importlib.util.resolve_name(name, package if isinstance(package, str) else None)
            except ImportError:
                name = ""
        module = sys.modules.get(name)
        for alias in node.names:
            self.bind(alias.asname or alias.name, self._imported(module, alias.name, scope, node), scope, node)

    def _imported(self, module: ModuleType | None, name: str, scope: Scope, node: ast.AST) -> Value:
        if module is None or name not in vars(module):
            return OUTSIDE
        return frozenset({self.live(vars(module)[name], scope, node)})

    # Branches, loops, jumps.
    def _do_if(self, node: ast.If, scope: Scope) -> bool:
        self.truth(node.test, scope)
        return self._branches([node.body, node.orelse], scope)

    def _branches(self, bodies: list[list[ast.stmt]], scope: Scope) -> bool:
        before, after = scope.env, None
        for body in bodies:
            scope.env = dict(before)
            if self.execute(body, scope):
                after = scope.env if after is None else joined(after, scope.env)
        scope.env = dict(before) if after is None else after
        return after is not None

    def _do_for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> None:
        source = self.evaluate(node.iter, scope)

        def begin() -> None:
            self.assign(node.target, self.elements(source, scope, node.iter), scope)

        self._loop(begin, node.body, scope)
        self.execute(node.orelse, scope)

    _do_asyncfor = _do_for

    def _do_while(self, node: ast.While, scope: Scope) -> None:
        self._loop(lambda: self.truth(node.test, scope), node.body, scope)
        self.execute(node.orelse, scope)

    def _loop(self, begin: object, body: list[ast.stmt], scope: Scope) -> None:
        assert callable(begin)
        before = dict(scope.env)
        collector: Env = {}
        scope.collectors.append(collector)
        try:
            while True:
                known = dict(collector)
                scope.env = joined(before, collector)
                begin()
                self.execute(body, scope)
                if collector == known:
                    break
        finally:
            scope.collectors.pop()
        scope.env = joined(before, collector)

    def _do_try(self, node: ast.Try, scope: Scope) -> bool:
        before = dict(scope.env)
        everywhere: Env = {}
        scope.collectors.append(everywhere)
        try:
            ends = self._guarded(node, before, scope)
        finally:
            scope.collectors.pop()
        after = [end for end in ends if end is not None]
        scope.env = joined(before, everywhere)
        if not node.finalbody:
            if after:
                scope.env = after[0]
                for end in after[1:]:
                    scope.env = joined(scope.env, end)
            return bool(after)
        return self.execute(node.finalbody, scope) and bool(after)

    _do_trystar = _do_try

    def _guarded(self, node: ast.Try, before: Env, scope: Scope) -> list[Env | None]:
        """The names after the body with its `else`, and after each handler; None where control leaves."""
        in_body: Env = {}
        scope.collectors.append(in_body)
        try:
            through = self.execute(node.body, scope)
        finally:
            scope.collectors.pop()
        if through:
            through = self.execute(node.orelse, scope)
        ends: list[Env | None] = [scope.env if through else None]
        for handler in node.handlers:
            scope.env = joined(before, in_body)
            if handler.type is not None:
                self.evaluate(handler.type, scope)
            if handler.name is not None:
                # Whatever was raised may hold what its maker put into it.
                caught = OUTSIDE | self.heap.slot(("raised",)) | self.heap.slot(("outside",))
                self.bind(handler.name, caught, scope, handler)
            ends.append(scope.env if self.execute(handler.body, scope) else None)
        return ends

    def _do_with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> bool:
        before = dict(scope.env)
        collector: Env = {}
        asynchronous = isinstance(node, ast.AsyncWith)
        scope.collectors.append(collector)
        try:
            for item in node.items:
                manager = self.evaluate(item.context_expr, scope)
                entered = self.enter(manager, asynchronous, scope, item.context_expr)
                if item.optional_vars is not None:
                    self.assign(item.optional_vars, entered, scope)
            self.execute(node.body, scope)
        finally:
            scope.collectors.pop()
        # A context manager may swallow an exception, so control always goes on.
        scope.env = joined(joined(before, collector), scope.env)
        return True

    _do_asyncwith = _do_with

    def enter(self, manager: Value, asynchronous: bool, scope: Scope, node: ast.AST) -> Value:
        """What `with` gives to its `as` name; leaving runs the manager's exit as well."""
        names = ("__aenter__", "__aexit__") if asynchronous else ("__enter__", "__exit__")
        entered: Value = NEVER
        for atom in manager:
            one = frozenset({atom})
            if isinstance(atom, Made) and self.heap.things[atom.site].kind == "generator":
                entered |= self.heap.contents(self.heap.things[atom.site])
            elif isinstance(atom, Made) and self.heap.things[atom.site].type_ is None:
                entered |= one | self.heap.contents(self.heap.things[atom.site])
            elif is_immutable(atom):
                continue
            else:
                entered |= self.call_method(one, names[0], Arguments(), scope, node)
                self.call_method(one, names[1], Arguments(rest=OUTSIDE | SCALAR), scope, node)
        return entered

    def _do_match(self, node: ast.Match, scope: Scope) -> bool:
        subject = self.evaluate(node.subject, scope)
        before = dict(scope.env)
        inside = self._matched(subject, scope, node)
        after: Env | None = dict(before)  # no case may match
        for case in node.cases:
            scope.env = dict(before)
            self._bind_pattern(case.pattern, subject, subject | inside, scope)
            if case.guard is not None:
                self.truth(case.guard, scope)
            if self.execute(case.body, scope):
                after = joined(after or {}, scope.env)
        scope.env = after or {}
        return True

    def _matched(self, subject: Value, scope: Scope, node: ast.AST) -> Value:
        """Everything that a pattern can take out of the subject."""
        self.look_inside(subject, scope, node)
        whole = State() in self.heap.reach(subject)
        inside = frozenset(self.heap.reach(subject)) | (self.part_values(None) if whole else NEVER)
        for atom in list(inside):
            if isinstance(atom, Part):
                inside |= self.part_values(atom.key)
            elif isinstance(atom, Live) and not is_immutable(atom):
                inside |= self.outside_values()
        return inside | SCALAR

    def _bind_pattern(self, pattern: ast.pattern, subject: Value, inside: Value, scope: Scope) -> None:
        for node in ast.walk(pattern):
            if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                whole = node is pattern and isinstance(node, ast.MatchAs)
                held = subject if whole else inside
                if isinstance(node, ast.MatchStar):
                    held = self.holder("list", inside, scope, node)
                self.bind(node.name, held, scope, node)
            elif isinstance(node, ast.MatchMapping) and node.rest:
                self.bind(node.rest, self.anything_fresh(inside, scope, node), scope, node)
            elif isinstance(node, ast.MatchValue):
                self.evaluate(node.value, scope)
            elif isinstance(node, ast.MatchClass):
                self.evaluate(node.cls, scope)
                objects = frozenset(atom for atom in inside if self.kind_of(atom) == "instance")
                self.escape(objects, "a class pattern", scope, node)  # it may run properties

    # Definitions.
    def _do_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        value = self.define(node, scope)
        for decorator in reversed(node.decorator_list):
            made = self.evaluate(decorator, scope)
            value = self.call(made, Arguments((value,)), scope, decorator)
        self.bind(node.name, value, scope, node)

    _do_asyncfunctiondef = _do_functiondef

    def _do_classdef(self, node: ast.ClassDef, scope: Scope) -> None:
        """A class made while running: its body runs here, its methods whenever someone wants."""
        given: Value = NEVER
        for part in (*node.bases, *(keyword.value for keyword in node.keywords), *node.decorator_list):
            given |= self.evaluate(part, scope)
        inner = Scope(
            "class",
            self.site(scope, node, "class"),
            shape_of(node),
            scope.filename,
            scope.module,
            scope.builtins,
            parent=scope,
            class_name=node.name,
        )
        self.execute(node.body, inner)
        for name in sorted(inner.shape.bound):
            given |= self.heap.slot((*inner.site, "name", name))
        result = self.escape(given, f"the class {node.name!r}", scope, node)
        self.bind(node.name, result, scope, node)
