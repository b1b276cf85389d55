"""Parts: nodes that take a list in part, piece by piece, or group by group, while others still write it."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from langgraph.graph import START
from langgraph.types import Command, RetryPolicy, Send, interrupt
from typing_extensions import TypedDict

import alto_lg
from dropin.shapes.base import Builder, Shape, Sleep, add_all, connect
from dropin.shapes.stops import answer

PACE_S = (0.3, 0.1, 0.2, 0.6, 0.4)
"""How long each item takes."""


class Parts(TypedDict, total=False):
    """found: what the items wrote, in order. log: what was made of it."""

    found: Annotated[list[int], operator.add]
    log: Annotated[list[str], operator.add]


def _spread(state: Parts) -> list[Send]:
    return [Send("work", {"index": index}) for index in range(len(PACE_S))]


async def _begin(state: Parts) -> dict[str, Any]:
    return {}


def _working(sleep: Sleep) -> Any:
    async def work(item: dict[str, int]) -> dict[str, Any]:
        await sleep(PACE_S[item["index"]])
        return {"found": [item["index"]]}

    return work


def _read_by(sleep: Sleep, reader: Any, work: Any = None, **more: Any) -> Builder:
    builder = add_all(Parts, {"begin": _begin, "work": work or _working(sleep), "reader": reader, **more})
    builder.add_conditional_edges("begin", _spread, ["work"])
    return connect(builder, (START, "begin"), ("work", "reader"))


def _summing(sleep: Sleep, part: Any) -> Any:
    @alto_lg.reading(found=part)
    async def reader(state: Parts) -> dict[str, Any]:
        await sleep(0.5)
        return {"log": [f"read {state['found']}"]}

    return reader


def first_two(sleep: Sleep) -> Builder:
    return _read_by(sleep, _summing(sleep, alto_lg.First(2)))


def first_odd(sleep: Sleep) -> Builder:
    """An item that does not pass the filter holds its place until it is known."""
    return _read_by(sleep, _summing(sleep, alto_lg.First(1, where=lambda index: index % 2)))


def more_than_there_are(sleep: Sleep) -> Builder:
    return _read_by(sleep, _summing(sleep, alto_lg.First(9)))


def _streaming(sleep: Sleep, order: Any, most: int = 9) -> Any:
    @alto_lg.reading(found=alto_lg.Stream(order))
    async def reader(state: Parts) -> dict[str, Any]:
        seen = []
        async for item in state["found"]:
            await sleep(0.2)
            seen.append(item)
            if len(seen) == most:
                break
        return {"log": [f"read {sorted(seen)}"]}

    return reader


def streamed(sleep: Sleep) -> Builder:
    return _read_by(sleep, _streaming(sleep, "commit"))


def streamed_in_part(sleep: Sleep) -> Builder:
    """The reader stops before the end."""
    return _read_by(sleep, _streaming(sleep, "commit", 2))


def as_they_come(sleep: Sleep) -> Builder:
    return _read_by(sleep, _streaming(sleep, "arrival"))


def failing_writer(sleep: Sleep) -> Builder:
    """The reader has begun when one of the writers fails."""

    async def work(item: dict[str, int]) -> dict[str, Any]:
        await sleep(PACE_S[item["index"]])
        if item["index"] == 3:
            raise ValueError("no third")
        return {"found": [item["index"]]}

    return _read_by(sleep, _streaming(sleep, "commit"), work)


def failing_reader(sleep: Sleep) -> Builder:
    """The reader fails while the writers go on; LangGraph would have let them end."""

    @alto_lg.reading(found=alto_lg.Stream())
    async def reader(state: Parts) -> dict[str, Any]:
        async for item in state["found"]:
            if item == 1:
                raise ValueError("no first")
        return {}

    return _read_by(sleep, reader)


def asking_reader(sleep: Sleep) -> Builder:
    """A node that may pause the run keeps its barrier, whatever it reads."""

    @alto_lg.reading(found=alto_lg.First(2))
    async def reader(state: Parts) -> dict[str, Any]:
        return {"log": [f"{interrupt(str(state['found']))} {state['found']}"]}

    return _read_by(sleep, reader)


def retried_reader(sleep: Sleep) -> Builder:
    """What was given once is not given again: an early reader that failed is tried again on the same iterator."""
    tries: list[int] = []

    @alto_lg.reading(found=alto_lg.First(3))
    async def reader(state: Parts) -> dict[str, Any]:
        tries.append(1)
        if len(tries) % 2:
            raise ConnectionError("once")
        return {"log": [f"read {state['found']}"]}

    builder = add_all(Parts, {"begin": _begin, "work": _working(sleep)})
    builder.add_node("reader", reader, retry_policy=RetryPolicy(initial_interval=0.0, jitter=False))
    builder.add_conditional_edges("begin", _spread, ["work"])
    return connect(builder, (START, "begin"), ("work", "reader"))


class Evidence(TypedDict, total=False):
    """evidence: what was found on each claim. verdicts: one a claim."""

    evidence: Annotated[list[dict[str, int]], operator.add]
    verdicts: Annotated[list[str], operator.add]
    last: str


def _claims(state: Evidence) -> list[Send]:
    return [Send("claim", {"claim": claim}) for claim in range(4)]


def _searching(sleep: Sleep) -> tuple[Any, Any]:
    """Claim n has n queries; the later the claim, the sooner they end."""

    async def claim(item: dict[str, int]) -> Command[Any]:
        packets = [Send("search", {"claim": item["claim"], "query": query}) for query in range(item["claim"])]
        return Command(goto=packets)

    async def search(item: dict[str, int]) -> dict[str, Any]:
        await sleep(0.8 - 0.2 * item["claim"] + 0.05 * item["query"])
        return {"evidence": [dict(item)]}

    return claim, search


def _judged(sleep: Sleep, judge: Any) -> Builder:
    claim, search = _searching(sleep)
    builder = add_all(Evidence, {"begin": _begin, "search": search, "judge": judge})
    builder.add_node("claim", claim, destinations=("search",))
    builder.add_conditional_edges("begin", _claims, ["claim"])
    return connect(builder, (START, "begin"), ("search", "judge"))


def _judging(sleep: Sleep, **options: Any) -> Any:
    @alto_lg.reading(evidence=alto_lg.PerGroup("claim", by="claim", **options))
    async def judge(state: Evidence) -> dict[str, Any]:
        await sleep(0.3)
        group: Any = state["evidence"]
        return {"verdicts": [f"{group.key}: {len(group)}"], "last": str(group.key)}

    return judge


def per_claim(sleep: Sleep) -> Builder:
    return _judged(sleep, _judging(sleep))


def per_claim_plainly(sleep: Sleep) -> Builder:
    @alto_lg.reading(evidence=alto_lg.PerGroup("claim", by="claim"))
    def judge(state: Evidence) -> dict[str, Any]:
        group: Any = state["evidence"]
        return {"verdicts": [f"{group.key}: {len(group)}"]}

    return _judged(sleep, judge)


def per_claim_with_empty_ones(sleep: Sleep) -> Builder:
    return _judged(sleep, _judging(sleep, groups=lambda state: range(5)))


def wrong_level(sleep: Sleep) -> Builder:
    """Every query is said to be a group, and is not: what ran on a part of one counts for nothing."""

    @alto_lg.reading(evidence=alto_lg.PerGroup("search", by="claim"))
    async def judge(state: Evidence) -> dict[str, Any]:
        group: Any = state["evidence"]
        await sleep(0.01)
        return {"verdicts": [f"{group.key}: {len(group)}"]}

    return _judged(sleep, judge)


def failing_group(sleep: Sleep) -> Builder:
    @alto_lg.reading(evidence=alto_lg.PerGroup("claim", by="claim"))
    async def judge(state: Evidence) -> dict[str, Any]:
        group: Any = state["evidence"]
        if group.key == 2:
            raise ValueError("cannot judge")
        await sleep(0.1)
        return {"verdicts": [str(group.key)]}

    return _judged(sleep, judge)


SHAPES = (
    Shape(
        "part_first",
        "a reader of the first two starts when they are known",
        first_two,
        critical_path_s=0.3 + 0.5,
        supersteps_s=0.6 + 0.5,
    ),
    Shape(
        "part_filtered",
        "an item that fails the filter is waited for, and not counted",
        first_odd,
        critical_path_s=0.3 + 0.5,
        supersteps_s=0.6 + 0.5,
    ),
    Shape("part_all", "a reader of more than there is waits for all of it", more_than_there_are),
    Shape(
        "part_stream",
        "a reader takes the items one by one, in order",
        streamed,
        critical_path_s=0.3 + 0.2 * 3 + 0.2 * 2,
        supersteps_s=0.6 + 0.2 * 5,
    ),
    Shape("part_stream_part", "a reader may stop before the end", streamed_in_part),
    Shape("part_arrivals", "a reader takes the items as they come", as_they_come),
    Shape("part_writer_fails", "a reader is stopped when a writer fails", failing_writer, sync=False),
    Shape("part_reader_fails", "a reader's error waits for its step", failing_reader),
    Shape("part_asking", "a reader that may ask waits for its step", asking_reader, resumes=(answer("yes"),)),
    Shape("part_retried", "a reader that is tried again begins anew", retried_reader),
    Shape("part_bounded", "a reader that waits lends its place", streamed, config={"max_concurrency": 1}),
    Shape("part_groups", "each group goes on when it is complete", per_claim, sync=False),
    Shape("part_groups_plainly", "groups of a node without async", per_claim_plainly),
    Shape("part_empty_groups", "groups without items are run, too", per_claim_with_empty_ones, sync=False),
    Shape("part_wrong_level", "a group that was not complete is run again", wrong_level, sync=False),
    Shape("part_group_fails", "an error of one group is the node's", failing_group, sync=False),
    Shape("part_groups_bounded", "groups within one place", per_claim, config={"max_concurrency": 1}, sync=False),
)
