"""The pytest plugin: `pytest -p alto_lg.pytest_plugin --alto` runs any suite with accelerated graphs.

Owns when acceleration begins and ends, and what pytest is told of it. Always true: without `--alto` it does nothing;
with it, a test fails only for what it checks itself, unless `--alto-strict` asks for more.

There is no assertion here for pytest to explain: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import pytest

from alto_lg.installing import install, uninstall
from alto_lg.suite import Recorder, SuiteCounts
from alto_lg.watching import watched

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
        self._open = ExitStack()
        self._workers: list[SuiteCounts | None] = []

    def begin(self, options: dict[str, Any]) -> None:
        """From the first conftest on."""
        try:
            install(**options)
        except ValueError as installed:
            raise pytest.UsageError(f"--alto: {installed}") from installed
        self._open.callback(uninstall)
        self._open.enter_context(watched(self.recorder))

    def end(self) -> None:
        self._open.close()

    # ── each test ───────────────────────────────────────────────────────────────────────────────────────────

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.recorder.take_incidents()  # what happened before this test is not its fault
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
        self._workers.append(None if sent is None else SuiteCounts.from_plain(sent))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("alto_lg")
        for line in self._counts().lines():
            terminalreporter.line(line)
        if None in self._workers:
            lost = self._workers.count(None)
            terminalreporter.line(f"workers that ended without a word, whose counts are missing: {lost}")

    def _counts(self) -> SuiteCounts:
        """Where workers ran the tests, theirs: what this process made, each of them made as well."""
        if not self._workers:
            return self.recorder.counts
        total = SuiteCounts()
        for sent in self._workers:
            if sent is not None:
                total.include(sent)
        return total
