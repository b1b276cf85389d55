"""Watching a model while it answers: what it says, piece by piece, and whether it came to its end."""

from alto_lg.adapters.watching.calls import CallsInProgress, CompleteCall, ToolCallDelta
from alto_lg.adapters.watching.langchain import ModelCall, ModelObserver, ModelWatcher

__all__ = ["CallsInProgress", "CompleteCall", "ModelCall", "ModelObserver", "ModelWatcher", "ToolCallDelta"]
