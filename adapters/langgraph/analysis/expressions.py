"""Expressions: what each expression may stand for, and what it looks at on the way.

Always true:
  every sub-expression is evaluated, whatever its value is used for;
  an expression of a kind that is not listed makes every fact unknown.
"""

from __future__ import annotations

import ast

from .core import Arguments, Core
from .findings import CannotTell
from .known_calls import Rule, rule_of
from .parts import FunctionNode
from .scopes import Scope, comprehension_shape, signature_annotations
from .values import (
    NEVER,
    NONE,
    OUTSIDE,
    SCALAR,
    Closure,
    Live,
    State,
    Value,
    is_immutable,
    join,
    texts_of,
)

_LISTING = frozenset({"list", "len", "sorted", "tuple", "set", "str", "repr"})


class Expressions(Core):
    """Evaluates expressions."""

    def evaluate(self, node: ast.expr, scope: Scope, *, quiet: bool = False) -> Value:
        """The value of an expression; `quiet` inside a call that only logs."""
        self.step()
        if quiet and self._lists_state_keys(node, scope):
            if not self.findings.quiet_reads:
                self.findings.quiet_reads = self.line(scope, node)
            return SCALAR
        if quiet and isinstance(node, ast.JoinedStr | ast.FormattedValue | ast.BinOp | ast.Call):
            return self._quietly(node, scope)
        handler = getattr(self, f"_{type(node).__name__.lower()}", None)
        if handler is None:
            raise CannotTell(f"uses {type(node).__name__}, which is not understood ({self.line(scope, node)})")
        result: Value = handler(node, scope)
        return result

    def truth(self, node: ast.expr, scope: Scope) -> Value:
        value = self.evaluate(node, scope)
        self.implicit(value, NEVER, scope, node)
        self.read_whole(value, "tests whether the state is empty", scope, node)
        return value

    # Uses that only log.
    def _lists_state_keys(self, node: ast.expr, scope: Scope) -> bool:
        """`state.keys()`, `list(state)`, `len(state.keys())` and the like: names, not values."""
        if not isinstance(node, ast.Call) or node.keywords:
            return False
        if isinstance(node.func, ast.Attribute) and node.func.attr == "keys" and not node.args:
            return self._is_only_state(node.func.value, scope) and "keys" not in self.schema_keys
        if not (isinstance(node.func, ast.Name) and node.func.id in _LISTING and len(node.args) == 1):
            return False
        function = self.evaluate(node.func, scope)
        if any(not isinstance(f, Live) or rule_of(f.value) not in (Rule.TEXT, Rule.HOLDER) for f in function):
            return False
        listed = self._is_only_state(node.args[0], scope) and node.func.id not in ("str", "repr")
        return listed or self._lists_state_keys(node.args[0], scope)

    def _is_only_state(self, node: ast.expr, scope: Scope) -> bool:
        return isinstance(node, ast.Name) and self.evaluate(node, scope) == frozenset({State()})

    def _quietly(self, node: ast.expr, scope: Scope) -> Value:
        """Text made for a log line, in which a list of the state's keys is no read."""
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                self.evaluate(part, scope, quiet=True)
            return SCALAR
        if isinstance(node, ast.FormattedValue):
            self.look_inside(self.evaluate(node.value, scope, quiet=True), scope, node)
            if node.format_spec is not None:
                self.evaluate(node.format_spec, scope)
            return SCALAR
        if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant | ast.JoinedStr):
            self.evaluate(node.left, scope, quiet=True)
            self.look_inside(self.evaluate(node.right, scope, quiet=True), scope, node)
            return SCALAR
        if self._joins_state_keys(node, scope):
            return SCALAR
        return self.evaluate(node, scope)

    def _joins_state_keys(self, node: ast.expr, scope: Scope) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Constant)
            and node.func.attr in ("join", "format")
            and len(node.args) == 1
            and not node.keywords
            and (self._lists_state_keys(node.args[0], scope) or self._is_listing(node, scope))
        )

    def _is_listing(self, node: ast.Call, scope: Scope) -> bool:
        isjoin = isinstance(node.func, ast.Attribute) and node.func.attr == "join"
        return isjoin and self._is_only_state(node.args[0], scope)

    # Names and constants.
    def _constant(self, node: ast.Constant, scope: Scope) -> Value:
        return frozenset({self.live(node.value, scope, node) if isinstance(node.value, str) else Live(node.value)})

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        return self.look_up(node.id, scope, node)

    def look_up(self, name: str, scope: Scope, node: ast.AST) -> Value:
        """The value of a name, by the rules of Python's scopes."""
        current: Scope | None = scope
        while current is not None:
            shape = current.shape
            visible = current.kind != "class" or current is scope
            if visible and name in shape.bound and name not in shape.global_names:
                if name in shape.shared:
                    value = self.heap.slot((*current.site, "name", name))
                else:
                    value = current.env.get(name, NEVER)
                if current.kind != "class" or value:
                    return value
            if name in shape.global_names:
                break
            if name in current.cells:
                return self._cell(current.cells[name], scope, node)
            current = current.parent
        return self._global(name, scope, node)

    def _cell(self, cell: object, scope: Scope, node: ast.AST) -> Value:
        stored = self.heap.slot(("cell", id(cell)))
        try:
            contents = cell.cell_contents  # type: ignore[attr-defined]
        except ValueError:  # not filled yet
            return OUTSIDE | stored
        return frozenset({self.live(contents, scope, node)}) | stored

    def _global(self, name: str, scope: Scope, node: ast.AST) -> Value:
        stored = self.heap.slot(("global", id(scope.module), name))
        for names in (scope.module, scope.builtins):
            if name in names:
                return frozenset({self.live(names[name], scope, node)}) | stored
        return OUTSIDE | stored

    def _namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Value:
        value = self.evaluate(node.value, scope)
        target = scope
        while target.kind == "comprehension" and target.parent is not None:
            target = target.parent
        self.bind(node.target.id, value, target, node)
        return value

    # Displays and comprehensions.
    def _dict(self, node: ast.Dict, scope: Scope) -> Value:
        made, thing = self.make("dict", scope, node)
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.evaluate(value_node, scope)
            if key_node is None:
                self.merge_into(frozenset({made}), value, scope, node)
                continue
            keys = self.evaluate(key_node, scope)
            self.store_item(frozenset({made}), keys, value, scope, node)
        assert thing is not None
        return frozenset({made})

    def _sequence(self, kind: str, items: list[ast.expr], scope: Scope, node: ast.AST) -> Value:
        made, thing = self.make(kind, scope, node)
        exact = kind == "tuple" and not any(isinstance(item, ast.Starred) for item in items)
        for position, item in enumerate(items):
            if isinstance(item, ast.Starred):
                value = self.elements(self.evaluate(item.value, scope), scope, node)
                self.heap.add_elements(thing, value)
                self.heap.widen(thing)
            elif exact:
                self.heap.set_field(thing, str(position), self.evaluate(item, scope))
            else:
                self.heap.add_elements(thing, self.evaluate(item, scope))
        return frozenset({made})

    def _list(self, node: ast.List, scope: Scope) -> Value:
        return self._sequence("list", node.elts, scope, node)

    def _tuple(self, node: ast.Tuple, scope: Scope) -> Value:
        return self._sequence("tuple", node.elts, scope, node)

    def _set(self, node: ast.Set, scope: Scope) -> Value:
        return self._sequence("set", node.elts, scope, node)

    def _comprehension(self, kind: str, results: list[ast.expr], node: ast.expr, scope: Scope) -> Value:
        inner = Scope(
            "comprehension",
            self.site(scope, node, "names"),
            comprehension_shape(node),
            scope.filename,
            scope.module,
            scope.builtins,
            parent=scope,
            class_name=scope.class_name,
        )
        for index, generator in enumerate(getattr(node, "generators", ())):
            where = scope if index == 0 else inner
            source = self.evaluate(generator.iter, where)
            self.assign(generator.target, self.elements(source, where, generator.iter), inner)
            for condition in generator.ifs:
                self.truth(condition, inner)
        made, thing = self.make(kind, scope, node)
        for result in results:
            self.heap.add_elements(thing, self.evaluate(result, inner))
        if kind == "dict":
            self.heap.widen(thing)
        return frozenset({made})

    def _listcomp(self, node: ast.ListComp, scope: Scope) -> Value:
        return self._comprehension("list", [node.elt], node, scope)

    def _setcomp(self, node: ast.SetComp, scope: Scope) -> Value:
        return self._comprehension("set", [node.elt], node, scope)

    def _generatorexp(self, node: ast.GeneratorExp, scope: Scope) -> Value:
        return self._comprehension("generator", [node.elt], node, scope)

    def _dictcomp(self, node: ast.DictComp, scope: Scope) -> Value:
        return self._comprehension("dict", [node.key, node.value], node, scope)

    # Operators.
    def _boolop(self, node: ast.BoolOp, scope: Scope) -> Value:
        return join(self.truth(value, scope) for value in node.values)

    def _binop(self, node: ast.BinOp, scope: Scope) -> Value:
        left = self.evaluate(node.left, scope)
        right = self.evaluate(node.right, scope)
        return self.combine(left, right, scope, node)

    def combine(self, left: Value, right: Value, scope: Scope, node: ast.AST) -> Value:
        """The result of a binary operator: a new object with the contents of both sides."""
        if not left or not right:
            return NEVER
        if all(is_immutable(atom) for atom in left | right):
            return SCALAR
        both = left | right
        self.implicit(both, both, scope, node)
        self.read_whole(both, "uses the whole state in an operator", scope, node)
        strangers = [a for a in both if isinstance(a, Live) and not is_immutable(a) and self._is_odd(a)]
        if strangers:
            return self.escape(both, "an operator of an object", scope, node)
        kinds = {self.kind_of(atom) for atom in both}
        if kinds <= {"dict"} or kinds <= {"list"}:
            made, _ = self.make(kinds.pop(), scope, node, "operator")
            self.merge_into(frozenset({made}), both, scope, node)
            return frozenset({made})
        made, thing = self.make("any", scope, node, "operator")
        self.heap.add_elements(thing, self.elements(both, scope, node) | SCALAR | {made})
        if State() in both:
            self.heap.widen(thing)
        return frozenset({made}) | self._outside_of(both)

    def _outside_of(self, value: Value) -> Value:
        return OUTSIDE if OUTSIDE & value else NEVER

    def kind_of(self, atom: object) -> str:
        from .values import Made

        if isinstance(atom, State):
            return "dict"
        return self.heap.things[atom.site].kind if isinstance(atom, Made) else ""

    @staticmethod
    def _is_odd(atom: Live) -> bool:
        return type(atom.value) not in (list, dict, set, tuple, frozenset)

    def _unaryop(self, node: ast.UnaryOp, scope: Scope) -> Value:
        if isinstance(node.op, ast.Not):
            self.truth(node.operand, scope)
            return SCALAR
        value = self.evaluate(node.operand, scope)
        return SCALAR if self.plain(value) else self.combine(value, SCALAR, scope, node)

    def _compare(self, node: ast.Compare, scope: Scope) -> Value:
        values = [self.evaluate(node.left, scope), *(self.evaluate(c, scope) for c in node.comparators)]
        for index, operator in enumerate(node.ops):
            left, right = values[index], values[index + 1]
            if isinstance(operator, ast.Is | ast.IsNot):
                continue
            self.implicit(left | self.heap.reach(right), left | right, scope, node)
            if isinstance(operator, ast.In | ast.NotIn):
                self._membership(left, right, scope, node)
                continue
            self.read_whole(left | right, "compares the whole state", scope, node)
        return SCALAR

    def _membership(self, item: Value, container: Value, scope: Scope, node: ast.AST) -> None:
        self.read_whole(item, "looks the whole state up", scope, node)
        if State() not in container:
            return
        names = texts_of(item)
        if names is None:
            self.findings.reads.add_every(f"tests a computed key of the state ({self.line(scope, node)})")
        for name in names or ():
            self.read(name, self.line(scope, node))

    def _ifexp(self, node: ast.IfExp, scope: Scope) -> Value:
        self.truth(node.test, scope)
        return self.evaluate(node.body, scope) | self.evaluate(node.orelse, scope)

    # Text.
    def _joinedstr(self, node: ast.JoinedStr, scope: Scope) -> Value:
        for part in node.values:
            self.evaluate(part, scope)
        return SCALAR

    def _formattedvalue(self, node: ast.FormattedValue, scope: Scope) -> Value:
        value = self.evaluate(node.value, scope)
        self.read_whole(value, "writes the whole state into a text", scope, node)
        self.look_inside(value, scope, node)
        if node.format_spec is not None:
            self.evaluate(node.format_spec, scope)
        return SCALAR

    def look_inside(self, value: Value, scope: Scope, node: ast.AST) -> None:
        """Everything inside a value is looked at: a state kept in it is read as a whole."""
        self.implicit(frozenset(self.heap.reach(value)), NEVER, scope, node)
        if State() in self.heap.reach(value):
            self.findings.reads.add_every(f"looks at the whole state ({self.line(scope, node)})")

    # Access.
    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        return self.load_attribute(self.evaluate(node.value, scope), self.mangled(node.attr, scope), scope, node)

    @staticmethod
    def mangled(name: str, scope: Scope) -> str:
        if scope.class_name and name.startswith("__") and not name.endswith("__"):
            return f"_{scope.class_name.lstrip('_')}{name}"
        return name

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Value:
        value = self.evaluate(node.value, scope)
        return self.load_item(value, self.evaluate(node.slice, scope), scope, node)

    def _slice(self, node: ast.Slice, scope: Scope) -> Value:
        for part in (node.lower, node.upper, node.step):
            if part is not None:
                self.evaluate(part, scope)
        return SCALAR

    def _starred(self, node: ast.Starred, scope: Scope) -> Value:
        return self.elements(self.evaluate(node.value, scope), scope, node)

    # Functions.
    def _lambda(self, node: ast.Lambda, scope: Scope) -> Value:
        return self.define(node, scope)

    def define(self, node: FunctionNode, scope: Scope) -> Value:
        """A nested function: its defaults are evaluated here, its body when it is called."""
        site = self.heap.number(self.site(scope, node, "closure"))
        self.closures[site] = (node, scope)
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args]
        first = len(named) - len(arguments.defaults)
        pairs = [*zip(named[first:], arguments.defaults, strict=True)]
        pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
        for argument, default in pairs:
            self.heap.grow_slot((*site, "default", argument.arg), self.evaluate(default, scope))
        for annotation in signature_annotations(node):
            self.evaluate(annotation, scope)
        return frozenset({Closure(site)})

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        from .methods import quiet_call

        above = self.call_above(node, scope)
        if above is not None:
            return above
        if isinstance(node.func, ast.Attribute):
            receiver = self.evaluate(node.func.value, scope)
            name = self.mangled(node.func.attr, scope)
            quiet = quiet_call(self, receiver, name, node, scope)
            arguments = self.arguments(node, scope, quiet=quiet)
            return self.call_method(receiver, name, arguments, scope, node)
        callee = self.evaluate(node.func, scope)
        quiet = bool(callee) and all(isinstance(a, Live) and rule_of(a.value) is Rule.LOG for a in callee)
        quiet = quiet and not any(keyword.arg in (None, "file") for keyword in node.keywords)
        return self.call(callee, self.arguments(node, scope, quiet=quiet), scope, node)

    def arguments(self, node: ast.Call, scope: Scope, *, quiet: bool = False) -> Arguments:
        positional: list[Value] = []
        keywords: dict[str, Value] = {}
        rest: Value = NEVER
        optional: set[str] = set()
        for argument in node.args:
            if not isinstance(argument, ast.Starred):
                positional.append(self.evaluate(argument, scope, quiet=quiet))
                continue
            value = self.evaluate(argument.value, scope)
            exact = self.exact_items(value)
            if exact is not None and not rest:
                positional.extend(exact)
            else:
                rest |= self.elements(value, scope, argument) | OUTSIDE
        for keyword in node.keywords:
            if keyword.arg is not None:
                keywords[keyword.arg] = self.evaluate(keyword.value, scope, quiet=quiet)
                continue
            value = self.evaluate(keyword.value, scope)
            named = self.exact_fields(value)
            if named is not None:
                keywords.update({k: keywords.get(k, NEVER) | v for k, v in named.items()})
                optional |= set(named)
            else:
                rest |= self.elements(value, scope, node) | self.mapping_values(value, scope, node) | OUTSIDE
        return Arguments(tuple(positional), keywords, rest, frozenset(optional))

    def _await(self, node: ast.Await, scope: Scope) -> Value:
        return self.awaited(self.evaluate(node.value, scope), scope, node)

    def _yield(self, node: ast.Yield, scope: Scope) -> Value:
        value = NONE if node.value is None else self.evaluate(node.value, scope)
        self.heap.grow_slot((*self.function_scope(scope).site, "yields"), value)
        return OUTSIDE | NONE

    def _yieldfrom(self, node: ast.YieldFrom, scope: Scope) -> Value:
        value = self.evaluate(node.value, scope)
        given = self.elements(value, scope, node)
        self.heap.grow_slot((*self.function_scope(scope).site, "yields"), given)
        return OUTSIDE | NONE | given

    @staticmethod
    def function_scope(scope: Scope) -> Scope:
        while scope.kind != "function" and scope.parent is not None:
            scope = scope.parent
        return scope

    # What other modules give.
    def call_above(self, node: ast.Call, scope: Scope) -> Value | None:
        raise NotImplementedError

    def merge_into(self, target: Value, source: Value, scope: Scope, node: ast.AST) -> None:
        raise NotImplementedError

    def store_item(self, target: Value, keys: Value, value: Value, scope: Scope, node: ast.AST) -> None:
        raise NotImplementedError

    def exact_items(self, value: Value) -> list[Value] | None:
        raise NotImplementedError

    def exact_fields(self, value: Value) -> dict[str, Value] | None:
        raise NotImplementedError

    def mapping_values(self, value: Value, scope: Scope, node: ast.AST) -> Value:
        raise NotImplementedError

    def implicit(self, value: Value, others: Value, scope: Scope, node: ast.AST) -> None:
        raise NotImplementedError

    def awaited(self, value: Value, scope: Scope, node: ast.AST) -> Value:
        raise NotImplementedError
