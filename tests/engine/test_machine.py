"""The machine, scenario by scenario: what starts when, and what is made of it at commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from alto_lg.engine.ancestry import Ancestry
from alto_lg.engine.firing import Firing, Status
from alto_lg.engine.machine import Machine
from alto_lg.engine.messages import (
    Adopt,
    Drop,
    Emission,
    FiringEnded,
    FiringFailed,
    Official,
    Packet,
    Start,
    StepBegan,
)
from alto_lg.engine.plan import Plan
from engine.driver import Deed, Parcel, Program, Run, State, Target, check_counts
from engine.plans import Known, conditions, join, plan, stage

# ── branches ────────────────────────────────────────────────────────────────────────────────────────────────────

FORK = plan(
    stage("fork", certain="fast slow"),
    stage("fast", writes="quick", certain="after"),
    stage("slow", writes="late"),
    stage("after", reads="quick", writes="result"),
)


def test_a_fast_branch_does_not_wait_for_a_slow_one() -> None:
    run = Run(Program(FORK, "fork"))
    run.finish("fork")
    assert run.names() == ["fast@1", "slow@1"]
    run.finish("fast")
    assert run.early == ["after@2"]
    run.finish("after")
    run.finish("slow")
    assert run.over
    assert run.adopted == ["after@2"]
    assert [done.stage for done in run.committed] == ["fork", "fast", "slow", "after"]


def test_an_early_firing_sees_what_its_branch_wrote_and_nothing_older() -> None:
    bodies = {
        "fast": lambda given: Deed({"quick": "done"}),
        "after": lambda given: Deed({"result": given["quick"]}),
    }
    run = Run(Program(FORK, "fork", bodies))
    run.finish_all()
    assert run.state["result"] == (("done",),)
    assert run.dropped == []


def test_a_reader_of_what_the_slow_branch_may_write_waits_for_it() -> None:
    made = plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="after"),
        stage("slow", writes="late"),
        stage("after", reads="late"),
    )
    run = Run(Program(made, "fork"))
    run.finish("fork")
    run.finish("fast")
    assert run.early == []
    run.finish("slow")
    assert run.names() == ["after@2"]


def test_a_reader_waits_for_what_the_slow_branch_may_lead_to() -> None:
    made = plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="second"),
        stage("second", certain="third"),
        stage("third", reads="late"),
        stage("slow", may="writer"),
        stage("writer", writes="late"),
    )
    run = Run(Program(made, "fork"))
    run.finish("fork")
    run.finish("fast")
    run.finish("second")
    assert run.early == ["second@2"], "writer could fire at step 2, before third at step 3"
    run.finish("slow")
    assert run.names() == ["third@3"]


def test_a_writer_in_the_readers_own_step_does_not_hold_it_up() -> None:
    made = plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="reader"),
        stage("slow", may="writer"),
        stage("reader", reads="late"),
        stage("writer", writes="late"),
    )
    run = Run(Program(made, "fork"))
    run.finish("fork")
    run.finish("fast")
    assert run.early == ["reader@2"]


def test_the_last_firing_of_a_step_starts_nothing_early() -> None:
    run = Run(Program(FORK, "fork"))
    run.finish("fork")
    run.finish("slow")
    run.finish("fast")
    assert run.early == []
    assert run.names() == ["after@2"], "LangGraph starts it itself, in its own step"


def test_two_separate_edges_fire_a_stage_twice_if_their_sources_end_in_different_steps() -> None:
    made = plan(
        stage("fork", certain="near far"),
        stage("near", certain="target"),
        stage("far", certain="farther"),
        stage("farther", certain="target"),
        stage("target", writes="seen"),
    )
    run = Run(Program(made, "fork"))
    run.finish_all()
    assert [(done.stage, done.step) for done in run.committed if done.stage == "target"] == [
        ("target", 2),
        ("target", 3),
    ]


def test_two_separate_edges_fire_a_stage_once_if_their_sources_end_in_the_same_step() -> None:
    made = plan(
        stage("fork", certain="one other slow"),
        stage("one", certain="target"),
        stage("other", certain="target"),
        stage("slow"),
        stage("target"),
    )
    run = Run(Program(made, "fork"))
    for name in ("fork", "one"):
        run.finish(name)
    assert run.early == []
    run.finish("other")
    assert run.early == ["target@2"]
    run.finish("slow")
    assert run.adopted == ["target@2"]
    assert run.names() == ["target@2"]


# ── packets ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _hops(count: int) -> Program:
    """Each of `count` items goes through three stages, one packet a hop."""

    def on(name: str) -> object:
        return lambda given: Deed({}, [Parcel(name, given)])

    made = plan(
        stage("split", may="one"),
        stage("one", may="two"),
        stage("two", may="three"),
        stage("three", writes="results"),
    )
    bodies = {
        "split": lambda given: Deed({}, [Parcel("one", item) for item in range(count)]),
        "one": on("two"),
        "two": on("three"),
        "three": lambda given: Deed({"results": given}),
    }
    return Program(made, "split", bodies)  # type: ignore[arg-type]


def test_each_item_of_a_fan_out_goes_on_alone() -> None:
    run = Run(_hops(3))
    run.finish("split")
    run.finish("request ▸ split ▸ one#1")
    run.finish("request ▸ split ▸ one#1 ▸ two#0")
    run.finish("request ▸ split ▸ one#1 ▸ two#0 ▸ three#0")
    assert run.step == 1, "the other items are still at their first hop"
    run.finish_all()
    assert run.early.count("three@3") >= 1
    assert run.dropped == []


def test_results_of_a_fan_out_are_in_the_order_of_the_items_whoever_was_first() -> None:
    run = Run(_hops(3))
    run.finish("split")
    while not run.over:
        run.advance(run.running()[-1])
    assert run.state["results"] == (0, 1, 2)
    assert len(run.early) == 4, "two hops of two items ran ahead of the first one"


def test_one_send_object_sent_twice_is_two_firings() -> None:
    same = Parcel("work", "both")
    made = plan(stage("split", may="work"), stage("work", may="end"), stage("end", writes="out"))
    bodies = {
        "split": lambda given: Deed({}, [same, same]),
        "work": lambda given: Deed({}, ["end"]),
        "end": lambda given: Deed({"out": 1}),
    }
    run = Run(Program(made, "split", bodies))
    run.finish_all()
    assert [done.stage for done in run.committed] == ["split", "work", "work", "end"]
    assert run.dropped == []


def test_one_send_object_sent_early_twice_is_adopted_twice() -> None:
    same = Parcel("work", "both")
    made = plan(stage("fork", certain="split slow"), stage("split", may="work"), stage("work"), stage("slow"))
    run = Run(Program(made, "fork", {"split": lambda given: Deed({}, [same, same])}))
    run.finish("fork")
    run.finish("split")
    assert run.early == ["work@2", "work@2"]
    run.finish("slow")
    assert run.adopted == ["work@2", "work@2"]


def test_one_send_object_of_two_senders_is_adopted_in_their_order() -> None:
    same = Parcel("work")
    made = plan(
        stage("fork", certain="a b slow"), stage("a", may="work"), stage("b", may="work"), stage("slow"), stage("work")
    )
    run = Run(Program(made, "fork", {name: lambda given: Deed({}, [same]) for name in "ab"}))
    for name in ("fork", "b", "a", "slow"):
        run.finish(name)
    adopted = [run.machine.firing(2, ("push", (same, occurrence))) for occurrence in range(2)]
    assert [str(one and one.ancestry) for one in adopted] == ["request ▸ a ▸ work#0", "request ▸ b ▸ work#0"]


@pytest.mark.parametrize("traits", [{"mutates": "anything"}, {"assigns": True}])
def test_a_shared_packet_waits_for_a_waiting_firing_that_may_assign_to_it(traits: dict[str, Any]) -> None:
    """split sends one payload to two stages, of which one hands it on and the other changes it."""
    made = plan(
        stage("fork", certain="split slow"),
        stage("split", may="forward change"),
        stage("forward", may="use"),
        stage("change", **traits),
        stage("use"),
        stage("slow"),
    )
    bodies = {
        "split": lambda given: Deed({}, [Parcel("forward"), Parcel("change")]),
        "forward": lambda given: Deed({}, [Parcel("use")]),
    }
    run = Run(Program(made, "fork", bodies), values=Known(shared=True))
    for name in ("fork", "split", "forward"):
        run.finish(name)
    assert run.early == ["forward@2"]


def test_a_shared_packet_waits_for_the_commit_that_reduces_in_place() -> None:
    made = plan(
        stage("fork", certain="split grow slow"),
        stage("split", may="use"),
        stage("grow", writes="list"),
        stage("slow", certain="slower"),
        stage("slower"),
        stage("use", may="again"),
        stage("again"),
        in_place="list",
    )
    bodies = {
        "split": lambda given: Deed({}, [Parcel("use")]),
        "grow": lambda given: Deed({"list": "more"}),
        "use": lambda given: Deed({}, [Parcel("again")]),
    }
    run = Run(Program(made, "fork", bodies), values=Known(shared=True))
    for name in ("fork", "split", "grow"):
        run.finish(name)
    assert run.early == []
    run.finish("slow")
    run.finish("use")
    assert run.early == ["again@3"], "the commit is over"
    own = Run(Program(made, "fork", bodies))
    for name in ("fork", "split", "grow"):
        own.finish(name)
    assert own.early == ["use@2"], "nobody else holds what the packet carries"


def test_what_a_sibling_may_still_lead_to_in_the_same_step_waits_for_it() -> None:
    def made(**traits: bool) -> Plan:
        return plan(
            stage("fork", certain="one other"),
            stage("one", certain="target"),
            stage("other", certain="target"),
            stage("target", **traits),
        )

    run = Run(Program(made(), "fork"))
    run.finish("fork")
    run.finish("one")
    assert run.early == [], "to whoever drew it, target joins one and other"
    run = Run(Program(made(pure=True), "fork"))
    run.finish("fork")
    assert run.early == ["target@2"]


def test_a_packet_never_waits_for_the_state() -> None:
    made = plan(
        stage("fork", certain="split slow"),
        stage("split", may="work"),
        stage("work", reads="late"),
        stage("slow", writes="late"),
    )
    run = Run(Program(made, "fork", {"split": lambda given: Deed({}, [Parcel("work")])}))
    run.finish("fork")
    run.finish("split")
    assert run.early == ["work@2"]


def test_a_packet_to_an_unknown_stage_is_ignored() -> None:
    machine = Machine(FORK, conditions(), Known(), Ancestry.request())
    (fork, _) = _begin(machine, "fork", "slow")
    packets = (Packet("nobody", 1), Packet("after", 2))
    commands = machine.handle(FiringEnded(fork, Emission(packets=packets)))
    assert [str(command.firing.ancestry) for command in commands] == ["request ▸ fork ▸ after#1"]


# ── joins ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _unequal_join() -> Plan:
    """near and farther join, two steps apart; slow runs beside them for as long as the test wants."""
    together = join("near farther", "target")
    return plan(
        stage("fork", certain="near far slow"),
        stage("near", may="target"),
        stage("far", certain="farther"),
        stage("farther", may="target"),
        stage("slow"),
        stage("target", certain="last"),
        stage("last"),
        joins=[together],
    )


def test_a_list_edge_fires_once_after_its_last_source() -> None:
    run = Run(Program(_unequal_join(), "fork"))
    for name in ("fork", "near", "far"):
        run.finish(name)
    assert "target@3" not in run.early
    run.finish("farther")
    assert run.early == ["farther@2", "target@3"]
    run.finish_all()
    assert [(done.stage, done.step) for done in run.committed][-2:] == [("target", 3), ("last", 4)]
    assert run.dropped == []


def test_a_join_waits_while_a_source_could_still_complete_it_in_another_step() -> None:
    made = plan(
        stage("fork", certain="one other slow slower"),
        stage("one", may="target"),
        stage("other", certain="last"),
        stage("last", may="target", pure=True),
        stage("slow", may="one"),
        stage("slower", certain="end"),
        stage("end"),
        stage("target"),
        joins=[join("one last", "target")],
    )
    bodies = {"slow": lambda given: Deed({}, ["one"])}
    run = Run(Program(made, "fork", bodies))
    for name in ("fork", "other", "last"):
        run.finish(name)
    run.finish("one")
    assert run.early == ["last@2"], "slow may fire one at step 2, and so it is not known which round that is of"
    run.finish("slow")
    assert run.early == ["last@2", "one@2"]
    run.finish("one@2")
    assert run.early == ["last@2", "one@2", "target@3"]
    run.finish_all()
    assert [done.step for done in run.committed if done.stage == "target"] == [3]
    assert run.dropped == []


def test_a_join_in_a_loop_keeps_its_second_round_in_view() -> None:
    """ahead of slow, one and other join twice; what target writes in the second round is read by late."""
    made = plan(
        stage("fork", certain="head slow"),
        stage("slow"),
        stage("head", certain="one other"),
        stage("one", may="target aside"),
        stage("other", may="target"),
        stage("target", writes="round", may="head"),
        stage("aside", certain="late"),
        stage("late", reads="round"),
        joins=[join("one other", "target")],
    )
    heads: list[int] = []
    ones: list[int] = []

    def target(given: State) -> Deed:
        heads.append(1)
        return Deed({"round": len(heads)}, ["head"] if len(heads) == 1 else [])

    def one(given: State) -> Deed:
        ones.append(1)
        return Deed({}, ["aside"] if len(ones) == 2 else [])

    run = Run(Program(made, "fork", {"target": target, "one": one}))
    run.finish("fork")
    while any(name != "slow@1" for name in run.names()):
        run.advance(next(firing for firing in run.running() if firing.stage.name != "slow"))
    run.finish_all()
    (late,) = [done for done in run.committed if done.stage == "late"]
    assert late.given == {"round": (1, 2)}
    assert run.dropped == []
    assert run.machine.broken is None


# ── barriers and pauses ─────────────────────────────────────────────────────────────────────────────────────────

ROW = plan(
    stage("fork", certain="fast slow"),
    stage("fast", certain="middle"),
    stage("slow"),
    stage("middle", certain="last"),
    stage("last"),
)


def _row(**traits: bool) -> Plan:
    changed = stage("middle", certain="last", **traits)
    return plan(*(changed if one.name == "middle" else one for one in ROW.stages.values()))


def _ahead(run: Run) -> list[str]:
    """What starts early while slow runs."""
    run.finish("fork")
    while any(name != "slow@1" for name in run.names()):
        run.advance(next(firing for firing in run.running() if firing.stage.name != "slow"))
    return run.early


def test_without_a_barrier_the_whole_branch_runs_ahead() -> None:
    assert _ahead(Run(Program(ROW, "fork"))) == ["middle@2", "last@3"]


def test_a_barrier_waits_for_its_step() -> None:
    assert _ahead(Run(Program(_row(barrier=True), "fork"))) == []


def test_nothing_later_starts_before_a_barrier_has_ended() -> None:
    made = plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="second"),
        stage("second"),
        stage("slow", barrier=True),
    )
    run = Run(Program(made, "fork"))
    assert _ahead(run) == []
    run.finish("slow")
    assert run.names() == ["second@2"]


def test_a_stage_that_may_interrupt_is_a_barrier_only_if_the_run_can_pause() -> None:
    made = _row(may_interrupt=True)
    assert _ahead(Run(Program(made, "fork"), conditions(can_pause=True))) == []
    assert _ahead(Run(Program(made, "fork"), conditions(can_pause=False))) == ["middle@2", "last@3"]


def test_nothing_starts_at_or_beyond_a_pause_before_a_stage() -> None:
    run = Run(Program(ROW, "fork"), conditions(stops_before=frozenset({"middle"})))
    assert _ahead(run) == []
    run = Run(Program(ROW, "fork"), conditions(stops_before=frozenset({"last"})))
    assert _ahead(run) == ["middle@2"]


def test_nothing_starts_beyond_a_pause_after_a_stage() -> None:
    run = Run(Program(ROW, "fork"), conditions(stops_after=frozenset({"middle"})))
    assert _ahead(run) == ["middle@2"]
    run = Run(Program(ROW, "fork"), conditions(stops_after=frozenset({"fast"})))
    assert _ahead(run) == []


def test_a_pause_that_another_branch_may_come_to_holds_up_its_step() -> None:
    made = plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="second"),
        stage("second", certain="third"),
        stage("third"),
        stage("slow", may="stop"),
        stage("stop"),
    )
    run = Run(Program(made, "fork"), conditions(stops_before=frozenset({"stop"})))
    assert _ahead(run) == [], "stop may be part of step 2"
    run = Run(Program(made, "fork"), conditions(stops_after=frozenset({"stop"})))
    assert _ahead(run) == ["second@2"], "and step 2 is then the last one"


def test_nothing_starts_beyond_the_recursion_limit() -> None:
    run = Run(Program(ROW, "fork"), conditions(last_step=2))
    assert _ahead(run) == ["middle@2"]


def test_nothing_starts_further_ahead_than_allowed() -> None:
    assert _ahead(Run(Program(ROW, "fork"), conditions(max_steps_ahead=1))) == ["middle@2"]
    assert _ahead(Run(Program(ROW, "fork"), conditions(max_steps_ahead=0))) == []


def test_a_withheld_stage_waits_for_its_step() -> None:
    run = Run(Program(ROW, "fork"), conditions(withheld={"last": "its subgraph saves checkpoints"}))
    assert _ahead(run) == ["middle@2"]


def test_a_deferred_stage_is_never_early() -> None:
    made = plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="end"),
        stage("slow", certain="slower"),
        stage("slower"),
        stage("end", never_early="it is deferred to the end of the run", deferred=True),
    )
    run = Run(Program(made, "fork", deferred=frozenset({"end"})))
    assert _ahead(run) == []
    run.finish_all()
    assert [(done.stage, done.step) for done in run.committed][-1] == ("end", 3)


@pytest.mark.parametrize("reads", ["early", "late"])
def test_a_reader_waits_for_a_deferred_stage_that_fires_beside_packets(reads: str) -> None:
    """LangGraph fires it after the first step that activates nothing but packets, which need not be the last."""
    made = plan(
        stage("fork", certain="end one slow"),
        stage("end", writes="late", never_early="it is deferred", deferred=True),
        stage("one", may="two"),
        stage("slow", may="slow_two"),
        stage("two", may="three"),
        stage("slow_two", may="slow_three"),
        stage("three", certain="reader"),
        stage("slow_three"),
        stage("reader", reads=reads),
        keys="early late",
    )
    hops = {"one": "two", "two": "three", "slow": "slow_two", "slow_two": "slow_three"}
    bodies = {name: lambda _, to=to: Deed(goto=[Parcel(to)]) for name, to in hops.items()}
    bodies["end"] = lambda _: Deed({"late": "written"})
    run = Run(Program(made, "fork", bodies, deferred=frozenset({"end"})))
    for name in ("fork", "one", "two", "three"):
        run.finish(name)
    assert ("reader@4" in run.early) == (reads == "early")
    run.finish_all()
    assert ("end", 2) in [(done.stage, done.step) for done in run.committed]


def test_stages_that_touch_the_store_keep_their_order() -> None:
    made = plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="second"),
        stage("second", touches_store=True),
        stage("slow", touches_store=True),
    )
    assert _ahead(Run(Program(made, "fork"), conditions(has_store=True))) == []
    assert _ahead(Run(Program(made, "fork"), conditions(has_store=False))) == ["second@2"]


# ── chains ──────────────────────────────────────────────────────────────────────────────────────────────────────

CHAIN = (
    stage("first", writes="a", certain="second"),
    stage("second", writes="b", certain="third"),
    stage("third", reads="a b"),
)


def test_a_chain_waits_for_itself_by_default() -> None:
    run = Run(Program(plan(*CHAIN), "first"))
    assert run.names() == ["first@0"]


def test_with_chains_a_stage_starts_beside_a_predecessor_that_it_reads_nothing_of() -> None:
    run = Run(Program(plan(*CHAIN), "first"), conditions(chains=True))
    assert run.names() == ["first@0", "second@1"], "third reads what both write"
    run.finish("second")
    assert run.names() == ["first@0"]
    run.finish_all()
    assert [done.stage for done in run.committed] == ["first", "second", "third"]
    assert run.dropped == []


def test_a_pure_stage_starts_beside_its_predecessor_and_others_do_not() -> None:
    pure = stage("second", writes="b", certain="third", pure=True)
    run = Run(Program(plan(CHAIN[0], pure, stage("third")), "first"))
    assert run.names() == ["first@0", "second@1"]


def test_a_stage_that_a_router_leads_to_is_not_certain() -> None:
    made = plan(stage("first", may="second"), stage("second"))
    assert Run(Program(made, "first"), conditions(chains=True)).names() == ["first@0"]


def test_a_chain_expected_anew_after_a_commit_is_counted_once() -> None:
    made = plan(stage("m", reads="p", writes="p", certain="m x"), stage("x"))
    run = Run(Program(made, "m"), conditions(chains=True, last_step=4))
    run.finish_all()  # the driver compares the counts after each event
    assert run.over


# ── conditional edges ───────────────────────────────────────────────────────────────────────────────────────────


def _gated(*, gate_at_start: bool = False) -> Program:
    """near runs early and then routes by what slow writes."""

    def route(seen: State) -> Sequence[Target]:
        return ["yes"] if seen["late"] else ["no"]

    made = plan(
        stage("fork", certain="fast slow"),
        stage("fast", certain="near"),
        stage("slow", writes="late", certain="longer"),
        stage("longer"),
        stage("near", routes="late", may="yes no", gate_at_start=gate_at_start),
        stage("yes"),
        stage("no"),
    )
    return Program(made, "fork", {"slow": lambda given: Deed({"late": 1})}, {"near": route})


def test_a_conditional_edge_waits_at_a_gate_until_what_it_reads_is_settled() -> None:
    run = Run(_gated())
    for name in ("fork", "fast", "near"):
        run.finish(name)
    assert run.names() == ["slow@1"], "near has run its body, and its edge waits"
    run.finish("slow")
    run.finish("near")
    run.finish("longer")
    assert run.names() == ["yes@3"]
    assert run.dropped == []


def test_a_gate_opens_early_when_the_last_writer_has_ended() -> None:
    made = plan(
        stage("fork", certain="fast slow other"),
        stage("fast", certain="near"),
        stage("slow", writes="late"),
        stage("other"),
        stage("near", routes="late", may="yes"),
        stage("yes"),
    )
    run = Run(Program(made, "fork", routes={"near": lambda seen: ["yes"]}))
    for name in ("fork", "fast", "near", "slow", "near"):
        run.finish(name)
    assert run.step == 1
    assert run.early == ["near@2", "yes@3"]


def test_a_stage_that_cannot_wait_half_way_waits_at_the_start() -> None:
    run = Run(_gated(gate_at_start=True))
    run.finish("fork")
    run.finish("fast")
    assert run.early == []
    run = Run(_gated(), conditions(gate_at_start=True))
    run.finish("fork")
    run.finish("fast")
    assert run.early == []


# ── what goes wrong ─────────────────────────────────────────────────────────────────────────────────────────────


def test_after_a_failure_nothing_starts_but_what_ran_is_still_adopted() -> None:
    made = plan(
        stage("fork", certain="fast slow other"),
        stage("fast", certain="second"),
        stage("second", certain="third"),
        stage("third"),
        stage("slow"),
        stage("other"),
    )
    run = Run(Program(made, "fork"))
    run.finish("fork")
    run.finish("fast")
    run.fail("other")
    run.finish("second")
    assert run.early == ["second@2"]
    assert run.machine.halted == "request ▸ other did not finish"
    assert run.machine.broken is None


def test_a_failure_of_an_early_firing_is_adopted_as_the_failure_that_it_is() -> None:
    machine = Machine(FORK, conditions(), Known(), Ancestry.request())
    fast, slow = _begin(machine, "fast", "slow")
    (start,) = machine.handle(FiringEnded(fast, Emission(activates=("after",))))
    assert isinstance(start, Start)
    assert machine.handle(FiringFailed(start.firing)) == []
    assert machine.handle(FiringEnded(slow, Emission())) == []
    assert machine.handle(StepBegan(1, (_official("after"),))) == [Adopt(start.firing, ("pull", "after"))]
    assert start.firing.status is Status.FAILED


def test_an_input_that_differs_drops_the_firing_and_everything_ahead_of_it() -> None:
    machine = Machine(ROW, conditions(), Known(), Ancestry.request())
    fast, slow = _begin(machine, "fast", "slow")
    (middle,) = machine.handle(FiringEnded(fast, Emission(activates=("middle",))))
    (last,) = machine.handle(FiringEnded(middle.firing, Emission(activates=("last",))))
    machine.handle(FiringEnded(slow, Emission()))
    commands = machine.handle(StepBegan(1, (Official(("pull", "middle"), "middle", None, valid=False),)))
    why = "the input of an early firing differs from the committed one"
    assert commands == [Drop(middle.firing, why), Drop(last.firing, why)]
    again = machine.firing(1, ("pull", "middle"))
    assert again is not None
    assert again is not middle.firing
    assert (again.status, again.early) == (Status.RUNNING, False), "LangGraph runs it again, on the right input"
    assert machine.broken == why


def test_after_a_break_nothing_is_started_or_adopted() -> None:
    machine = Machine(ROW, conditions(), Known(), Ancestry.request())
    fast, _ = _begin(machine, "fast", "slow")
    machine.break_off("a proof failed")
    assert machine.handle(FiringEnded(fast, Emission(activates=("middle",)))) == []
    machine.break_off("another one")
    assert machine.broken == "a proof failed", "the first reason is the one that counts"


def test_a_firing_that_the_committed_step_does_not_have_breaks_off() -> None:
    machine = Machine(ROW, conditions(), Known(), Ancestry.request())
    fast, slow = _begin(machine, "fast", "slow")
    (middle,) = machine.handle(FiringEnded(fast, Emission(activates=("middle",))))
    machine.handle(FiringEnded(slow, Emission()))
    (drop,) = machine.handle(StepBegan(1, (_official("last"),)))
    assert drop == Drop(middle.firing, "the committed step 1 does not have request ▸ middle")


def test_a_firing_that_nobody_foresaw_runs_as_an_ordinary_one() -> None:
    machine = Machine(ROW, conditions(), Known(), Ancestry.request())
    fast, slow = _begin(machine, "fast", "slow")
    machine.handle(FiringEnded(fast, Emission(activates=("middle",))))
    machine.handle(FiringEnded(slow, Emission()))
    machine.handle(StepBegan(1, (_official("middle"), _official("last"))))
    unforeseen = machine.firing(1, ("pull", "last"))
    assert unforeseen is not None
    assert str(unforeseen.ancestry) == "request ▸ last"
    assert machine.broken is None


def test_a_firing_that_could_not_be_prepared_waits_for_its_step() -> None:
    machine = Machine(ROW, conditions(), Known(), Ancestry.request())
    fast, slow = _begin(machine, "fast", "slow")
    (start,) = machine.handle(FiringEnded(fast, Emission(activates=("middle",))))
    machine.decline(start.firing)
    check_counts(machine)
    assert machine.handle(FiringEnded(slow, Emission())) == []
    assert machine.handle(StepBegan(1, (_official("middle"),))) == []
    assert machine.firing(1, ("pull", "middle")) is start.firing
    assert (start.firing.status, start.firing.early) == (Status.RUNNING, False)


def test_an_end_that_is_reported_twice_counts_once() -> None:
    machine = Machine(ROW, conditions(), Known(), Ancestry.request())
    fast, _ = _begin(machine, "fast", "slow")
    assert len(machine.handle(FiringEnded(fast, Emission(activates=("middle",))))) == 1
    assert machine.handle(FiringEnded(fast, Emission(activates=("middle",)))) == []


# ── order of starts ─────────────────────────────────────────────────────────────────────────────────────────────


def test_firings_start_in_the_order_in_which_they_will_commit() -> None:
    made = plan(
        stage("fork", certain="slow fast"),
        stage("fast", certain="b a", may="c"),
        stage("slow"),
        stage("a"),
        stage("b"),
        stage("c"),
    )
    packets = [Parcel("c", 0), Parcel("c", 1)]
    run = Run(Program(made, "fork", {"fast": lambda given: Deed({}, packets)}))
    run.finish("fork")
    run.finish("fast")
    assert run.early == ["a@2", "b@2", "c@2", "c@2"]
    started = [str(firing.ancestry) for firing in run.running() if firing.early]
    assert started[2:] == ["request ▸ fast ▸ c#0", "request ▸ fast ▸ c#1"]


def test_what_has_ended_is_listed_in_the_order_of_its_writes() -> None:
    run = Run(_hops(3))
    run.finish("split")
    run.finish("request ▸ split ▸ one#2")
    run.finish("request ▸ split ▸ one#0")
    assert [firing.ancestry.index for firing in run.machine.ended_at(1)] == [0, 2]
    assert run.machine.ended_at(9) == []


def _begin(machine: Machine, *names: str) -> list[Firing]:
    """Step 0 with these triggered stages."""
    assert machine.handle(StepBegan(0, tuple(map(_official, names)))) == []
    firings = [machine.firing(0, ("pull", name)) for name in names]
    return [firing for firing in firings if firing is not None]


def _official(name: str) -> Official:
    return Official(("pull", name), name, None)
