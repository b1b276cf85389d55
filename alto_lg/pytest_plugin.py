"""The pytest plugin: `pytest -p alto_lg.pytest_plugin --alto` runs any suite with accelerated graphs.

Owns when acceleration begins and ends, and what pytest is told of it. Always true: without `--alto` it does nothing;
with it, a test fails only for what it checks itself, unless `--alto-strict` asks for more.
"""

from __future__ import annotations

import functools
import sys
import types
import warnings
from collections.abc import Generator
from typing import Any

import pytest

from alto_lg.adapters.langgraph.acceleration import Acceleration, observers
from alto_lg.adapters.langgraph.internals import Pregel
from alto_lg.engine.statistics import RunStatistics
from alto_lg.errors import AltoWarning
from alto_lg.installing import graph_observers, install, uninstall
from alto_lg.suite import Recorder, SuiteCounts

_SENT = "alto_lg"
"""The name under which a worker of pytest-xdist sends its counts."""

_session_key = pytest.StashKey["Session"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("alto", "LangGraph graphs, accelerated (alto_lg)")
    group.addoption(
        "--alto",
        action="store_true",
        help="Accelerate every graph that the suite makes, and say at the end what that did.",
    )
    group.addoption(
        "--alto-strict",
        action="store_true",
        help="With --alto: a test also fails if a run of it fell back to plain LangGraph, had a result dropped though "
        "it went on, or gave an AltoWarning.",
    )
    group.addoption(
        "--alto-overlap",
        choices=("branches", "chains"),
        help="With --alto: the overlap to accelerate with, as in alto_lg.accelerate(overlap=...). Default: branches.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Graphs made while a conftest is imported count, too."""
    _begin(early_config, early_config.known_args_namespace)


def pytest_configure(config: pytest.Config) -> None:
    _begin(config, config.option)
    if _session_key in config.stash:
        config.pluginmanager.register(config.stash[_session_key], "alto_lg.session")


def _begin(config: pytest.Config, options: Any) -> None:
    if _session_key in config.stash:
        return
    if not options.alto:
        if options.alto_strict or options.alto_overlap:
            raise pytest.UsageError("--alto-strict and --alto-overlap say how to accelerate: add --alto")
        return
    session = Session(strict=options.alto_strict)
    session.begin({} if options.alto_overlap is None else {"overlap": options.alto_overlap})
    config.stash[_session_key] = session
    config.add_cleanup(session.end)


class Session:
    """A session of pytest with `--alto`, in one process; a plugin itself."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.recorder = Recorder()
        self._lost_workers = 0
        self._watched_init: Any = None
        self._diverted: list[types.ModuleType] = []

    # ── from the first conftest to the end ──────────────────────────────────────────────────────────────────

    def begin(self, options: dict[str, Any]) -> None:
        install(**options)
        observers.append(self._run_ended)
        graph_observers.append(self._graph_made)
        self._watch_graphs_by_hand()
        self._divert_warnings()

    def end(self) -> None:
        for module in self._diverted:
            module.warnings = warnings  # type: ignore[attr-defined]
        if vars(Pregel)["__init__"] is self._watched_init:
            Pregel.__init__ = self._watched_init.__wrapped__  # type: ignore[method-assign]
        graph_observers.remove(self._graph_made)
        observers.remove(self._run_ended)
        uninstall()

    def _run_ended(self, acceleration: Acceleration, statistics: RunStatistics) -> None:
        self.recorder.run_ended(acceleration.original.get_name(), statistics)

    def _graph_made(self, graph: object) -> None:
        self.recorder.graph_made()

    def _watch_graphs_by_hand(self) -> None:
        """LangGraph itself makes its graphs by `Pregel.__init__`, too; what others make so is theirs."""
        original, recorder = Pregel.__init__, self.recorder

        @functools.wraps(original)
        def watched(graph: Any, *args: Any, **kwargs: Any) -> None:
            maker = sys._getframe(1).f_globals.get("__name__", "")
            if maker.partition(".")[0] not in ("langgraph", "alto_lg"):
                recorder.built_by_hand(type(graph).__name__)
            original(graph, *args, **kwargs)

        self._watched_init = watched
        Pregel.__init__ = watched  # type: ignore[method-assign]

    def _divert_warnings(self) -> None:
        """What we warn of is told in the summary. Suites count warnings, or make errors of them."""
        for name, module in list(sys.modules.items()):
            if name.startswith("alto_lg.") and vars(module).get("warnings") is warnings and module is not _this():
                self._diverted.append(module)
                module.warnings = _Diverted(self.recorder)  # type: ignore[attr-defined]

    # ── each test ───────────────────────────────────────────────────────────────────────────────────────────

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.recorder.test = item.nodeid
        try:
            return (yield)
        finally:
            self.recorder.test = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from self._judged(item, "setup"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from self._judged(item, "call"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from self._judged(item, "teardown"))

    def _judged(self, item: pytest.Item, phase: str) -> Generator[None, object, object]:
        """Fail the phase in which something happened; a phase that fails by itself keeps its own error."""
        try:
            result = yield
        except BaseException:
            incidents = self.recorder.take_incidents()
            if self.strict and incidents:
                item.add_report_section(phase, "alto", "\n".join(incidents))
            raise
        incidents = self.recorder.take_incidents()
        if self.strict and incidents:
            pytest.fail("--alto-strict: " + "\n".join(incidents), pytrace=False)
        return result

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_SENT] = self.recorder.counts.to_plain()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        sent = getattr(node, "workeroutput", {}).get(_SENT)
        if sent is None:
            self._lost_workers += 1
        else:
            self.recorder.counts.include(SuiteCounts.from_plain(sent))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("alto_lg")
        for line in self.recorder.counts.lines():
            terminalreporter.line(line)
        if self._lost_workers:
            terminalreporter.line(f"{self._lost_workers} worker(s) ended without a word: their counts are missing")


class _Diverted:
    """Stands for the module `warnings` in modules of ours."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        return getattr(warnings, name)

    def warn(self, message: Any, category: type[Warning] | None = None, stacklevel: int = 1, **rest: Any) -> None:
        if isinstance(message, AltoWarning) or (category is not None and issubclass(category, AltoWarning)):
            self._recorder.warned(str(message))
        else:
            warnings.warn(message, category, stacklevel + 1, **rest)


def _this() -> types.ModuleType:
    return sys.modules[__name__]
