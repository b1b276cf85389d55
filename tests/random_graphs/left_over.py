"""Left over: what LangGraph 1.2.22 leaves behind when a run with `max_concurrency` fails.

Coroutines of nodes and saves that still waited for their turn are dropped before they have begun. Ours begins none.
"""

_WAITING = "arun_with_retry|AsyncPregelLoop._checkpointer_put_after_previous|InMemorySaver.aput_writes"
LEFT_BY_LANGGRAPH = f"ignore:coroutine '({_WAITING})' was never awaited:RuntimeWarning"
"""For `pytest.mark.filterwarnings`."""
