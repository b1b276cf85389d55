"""Mistakes: what users get wrong, said once in words that name the place and the next move.

Always true:
  what LangGraph accepts is accepted: a warning once for a graph and mistake, an error only with `strict=True`;
  what LangGraph refuses is refused with its class; at most a note is added to its error.
"""

from alto_lg.adapters.langgraph.mistakes.run_checks import RunChecks

__all__ = ["RunChecks"]
