"""`python -m alto_lg.apps.tot`: how many of the package's puzzles the model made of rules solves. No server needed."""

from __future__ import annotations

import asyncio
import sys

from alto_lg.apps.tot.application import TOT, build
from alto_lg.apps.tot.local_chat import LocalChat


async def share_solved() -> dict[str, float]:
    """The score of the flat graph over all puzzles."""
    requests = TOT.workload(corpus=None, questions=None)
    graph = build("flat", chat=LocalChat())
    answers = [TOT.answer(await graph.ainvoke(dict(request.input))) for request in requests]
    return {"puzzles": float(len(requests)), **TOT.score(requests, answers)}


def main() -> int:
    """Print the score."""
    score = asyncio.run(share_solved())
    print(f"{score['puzzles']:.0f} puzzles, {score['thoughts']:.1f} thoughts a search")
    print(f"solved: {score['solved']:.3f} by the best thought, {score['solved_by_any_kept']:.3f} by any that was kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
