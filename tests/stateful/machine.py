"""Machine: Hypothesis draws lives and shrinks those that go wrong.

Owns the odds of operations. `pair.py` judges.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from stateful import operations as op
from stateful.pair import Pair, pair

THREADS = ("1", "2")

threads = st.sampled_from(THREADS)
choices = st.integers(0, 3)
places = st.integers(0, 7)
backs = st.integers(0, 9)
nodes = st.none() | places
durabilities = st.sampled_from(("async", "async", "async", "exit", "sync"))
stepwise = st.sampled_from(("async", "sync"))
answers = st.sampled_from(("yes", "no"))
pairs = st.lists(st.tuples(places, places), min_size=1, max_size=3).map(tuple)

invokes = st.builds(op.Invoke, threads, choices, durabilities, st.booleans())
goings = st.builds(op.GoOn, threads, durabilities)
travels = st.builds(op.Travel, threads, backs, durabilities)
forks = st.builds(op.Fork, threads, backs, places, nodes, st.booleans())
resumes = st.builds(op.Resume, threads, st.integers(0, 7), answers, durabilities)
updates = st.builds(op.Update, threads, places, nodes)
bulks = st.builds(op.Bulk, threads, pairs)
deletions = st.builds(op.Delete, threads)
calm = st.one_of(invokes, travels, forks, goings, resumes)


class Lives(RuleBasedStateMachine):
    """Both sides, from birth to the comparison of all that is saved."""

    names: tuple[str, ...] = ()
    """The graphs that are lived on."""

    def __init__(self) -> None:
        super().__init__()
        self._pair: Pair | None = None
        self._differs = False

    def pair_of(self, name: str) -> Pair:
        """Both sides of a graph."""
        return pair(name)

    def ended(self, lived: Pair) -> None:
        """A life has ended, and ended well."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self._pair = self.pair_of(data.draw(st.sampled_from(self.names), label="graph"))
        self._pair.reborn()
        self.play(data.draw(invokes, label="first"))

    def teardown(self) -> None:
        if self._pair is not None and not self._differs:
            self._pair.end()
            self.ended(self._pair)

    def play(self, operation: op.Operation) -> None:
        assert self._pair is not None
        if self._pair.possible(operation):
            self._differs = True
            self._pair.play(operation)
            self._differs = False

    @rule(operation=st.one_of(invokes, invokes, travels, goings, st.just(op.HandOver())))
    def run(self, operation: op.Operation) -> None:
        self.play(operation)

    @rule(operation=st.one_of(forks, updates, bulks, deletions))
    def change(self, operation: op.Operation) -> None:
        self.play(operation)

    @precondition(lambda self: self._pair is not None and self._pair.asking())
    @rule(data=st.data(), which=st.integers(0, 7), answer=answers, durability=durabilities)
    def resume(self, data: st.DataObject, which: int, answer: str, durability: op.Durability) -> None:
        assert self._pair is not None
        thread = data.draw(st.sampled_from(self._pair.asking()), label="thread")
        self.play(op.Resume(thread, which, answer, durability))

    @rule(first=calm, second=calm)
    def together(self, first: op.Calm, second: op.Calm) -> None:
        self.play(op.Together(first, second))


class CutLives(Lives):
    """Lives in which runs are stopped, cancelled and crashed, which takes virtual time."""

    # Neither in `exit`. A cancelled run saves the one step that it had come to; and at the end of a run everything is
    # saved at once, also that it failed, which nobody was told if it crashed there.
    @rule(
        operation=st.one_of(
            st.builds(op.StopEarly, threads, choices, st.integers(1, 6), st.booleans()),
            st.builds(op.Cancel, threads, choices, st.integers(0, 320), stepwise, st.booleans()),
            st.builds(op.Crash, threads, choices, st.integers(1, 120), stepwise, st.booleans()),
        )
    )
    def cut(self, operation: op.Operation) -> None:
        self.play(operation)
