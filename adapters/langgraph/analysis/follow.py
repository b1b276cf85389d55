"""Follow: walking into a function that is called, with the values it is called with.

Always true:
  a helper is walked once for each chain of calls that leads to it, to a bounded depth;
  a recursive call joins its arguments into the activation that is already being walked.
"""

from __future__ import annotations

import ast
import builtins
from types import FunctionType

from .core import MOST_DEPTH, Arguments
from .library import code_name
from .parts import FunctionNode
from .scopes import Scope, agrees, parameter_names, shape_of
from .source import Located, NotLocated, locate
from .statements import Statements
from .values import NEVER, NONE, Closure, Site, Value


class Follow(Statements):
    """Calls of functions whose text is at hand."""

    def locate_function(self, function: FunctionType) -> Located | NotLocated:
        """The tree of a live function whose scopes are as the compiler saw them."""
        found = locate(function.__code__)
        if isinstance(found, Located) and not agrees(shape_of(found.node), function.__code__):
            return NotLocated(f"the names of {code_name(function.__code__)!r} could not be resolved")
        return found

    def follow_function(self, function: FunctionType, arguments: Arguments, scope: Scope, node: ast.AST) -> Value | str:
        """The result of a live function, or why it could not be followed."""
        located = self.locate_function(function)
        if isinstance(located, NotLocated):
            return located.why
        identity = (id(located.node), id(function))
        site = self._recursive_site(identity)
        again = site is not None
        if site is None:
            if len(self.active) > MOST_DEPTH:
                return f"more than {MOST_DEPTH} calls deep"
            site = self.heap.number((*scope.site, id(node), *identity))
        self._bind_parameters(located.node, self._live_defaults(function, scope, node), arguments, site)
        if again:
            return self._result(located.node, site, scope, node)
        self.alive.append(function)
        return self._walk(located.node, self._scope_of(function, located, site), identity, scope, node)

    def follow_closure(self, closure: Closure, arguments: Arguments, scope: Scope, node: ast.AST) -> Value | str:
        """The result of a function that the analysed code itself defines."""
        body, outer = self.closures[closure.site]
        identity = ("closure", closure.site)
        site = self._recursive_site(identity)
        again = site is not None
        if site is None:
            if len(self.active) > MOST_DEPTH:
                return f"more than {MOST_DEPTH} calls deep"
            site = self.heap.number((*scope.site, id(node), *identity))
        names = parameter_names(body.args)
        defaults = {name: self.heap.slot((*closure.site, "default", name)) for name in names}
        self._bind_parameters(body, defaults, arguments, site)
        if again:
            return self._result(body, site, scope, node)
        inner = Scope(
            "function",
            site,
            shape_of(body),
            outer.filename,
            outer.module,
            outer.builtins,
            parent=outer,
            class_name=outer.class_name,
        )
        return self._walk(body, inner, identity, scope, node)

    def _recursive_site(self, identity: object) -> Site | None:
        return next((site for active, site in self.active if active == identity), None)

    def _scope_of(self, function: FunctionType, located: Located, site: Site) -> Scope:
        code = function.__code__
        cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
        path = code_name(code).split(".")
        owner = path[-2] if len(path) > 1 and path[-2] != "<locals>" else ""
        names = getattr(function, "__builtins__", None)
        return Scope(
            "function",
            site,
            shape_of(located.node),
            located.filename,
            function.__globals__,
            vars(builtins) if names is None else names,
            cells=dict(cells),
            class_name=owner,
            first=code.co_varnames[0] if code.co_argcount else "",
        )

    def _live_defaults(self, function: FunctionType, scope: Scope, node: ast.AST) -> dict[str, Value]:
        code = function.__code__
        positional = code.co_varnames[: code.co_argcount]
        given = function.__defaults__ or ()
        found = {
            name: frozenset({self.live(value, scope, node)})
            for name, value in zip(positional[len(positional) - len(given) :], given, strict=True)
        }
        for name, value in (function.__kwdefaults__ or {}).items():
            found[name] = frozenset({self.live(value, scope, node)})
        return found

    def _bind_parameters(
        self, body: FunctionNode, defaults: dict[str, Value], arguments: Arguments, site: Site
    ) -> None:
        spec = body.args
        named = [*spec.posonlyargs, *spec.args]
        for index, argument in enumerate(named):
            keyword = argument.arg if argument in spec.args else ""
            self._bind_one(argument.arg, index, keyword, defaults, arguments, site)
        for argument in spec.kwonlyargs:
            self._bind_one(argument.arg, len(arguments.positional), argument.arg, defaults, arguments, site)
        if spec.vararg is not None:
            self._bind_rest(spec.vararg, arguments.positional[len(named) :], arguments, site)
        if spec.kwarg is not None:
            taken = {a.arg for a in (*spec.args, *spec.kwonlyargs)}
            extra = {k: v for k, v in arguments.keywords.items() if k not in taken}
            self._bind_keywords(spec.kwarg, extra, arguments, site)

    def _bind_one(
        self,
        name: str,
        index: int,
        keyword: str,
        defaults: dict[str, Value],
        arguments: Arguments,
        site: Site,
    ) -> None:
        value = arguments.at(index, keyword)
        certain = index < len(arguments.positional) or (
            keyword in arguments.keywords and keyword not in arguments.optional
        )
        if not certain:
            value |= defaults.get(name, NEVER)
        self.heap.grow_slot((*site, "parameter", name), value)

    def _bind_rest(self, argument: ast.arg, values: tuple[Value, ...], arguments: Arguments, site: Site) -> None:
        made = self.heap.make((*site, "rest"), "tuple", "")
        thing = self.heap.things[made.site]
        for position, value in enumerate(values):
            self.heap.set_field(thing, str(position), value)
        if arguments.rest:
            self.heap.add_elements(thing, arguments.rest)
            self.heap.widen(thing)
        self.heap.grow_slot((*site, "parameter", argument.arg), frozenset({made}))

    def _bind_keywords(self, argument: ast.arg, values: dict[str, Value], arguments: Arguments, site: Site) -> None:
        made = self.heap.make((*site, "keywords"), "dict", "")
        thing = self.heap.things[made.site]
        for name, value in values.items():
            self.heap.set_field(thing, name, value)
        if arguments.rest:
            self.heap.add_elements(thing, arguments.rest)
            self.heap.widen(thing)
        self.heap.grow_slot((*site, "parameter", argument.arg), frozenset({made}))

    def _walk(self, body: FunctionNode, inner: Scope, identity: object, scope: Scope, node: ast.AST) -> Value:
        self.function_nodes.setdefault(id(body), (body, inner.filename))
        for name in parameter_names(body.args):
            value = self.heap.slot((*inner.site, "parameter", name))
            if name in inner.shape.shared:
                self.heap.grow_slot((*inner.site, "name", name), value)
            else:
                inner.env[name] = value
        self.active.append((identity, inner.site))
        try:
            returns = (*inner.site, "returns")
            if isinstance(body, ast.Lambda):
                self.heap.grow_slot(returns, self.evaluate(body.body, inner))
            elif self.execute(body.body, inner):
                self.heap.grow_slot(returns, NONE)
        finally:
            self.active.pop()
        return self._result(body, inner.site, scope, node)

    def _result(self, body: FunctionNode, site: Site, scope: Scope, node: ast.AST) -> Value:
        returned = self.heap.slot((*site, "returns"))
        if not shape_of(body).is_generator:
            if not isinstance(body, ast.AsyncFunctionDef):
                return returned
            coroutine = self.heap.make((*site, "coroutine"), "awaitable", self.line(scope, node))
            self.heap.add_elements(self.heap.things[coroutine.site], returned)
            return frozenset({coroutine})
        made = self.heap.make((*site, "generator"), "generator", self.line(scope, node))
        thing = self.heap.things[made.site]
        self.heap.add_elements(thing, self.heap.slot((*site, "yields")))
        # `yield from` gives what a generator returned.
        if returned - NONE:
            self.heap.add_elements(thing, returned)
        return frozenset({made})
