"""Batched nodes: functions of a list of inputs, called with those of many firings and many runs at once."""

from alto_lg.batching._batching import Batching, BatchStatistics, batch_statistics, batching_of
from alto_lg.batching._decorator import batched

__all__ = ["BatchStatistics", "Batching", "batch_statistics", "batched", "batching_of"]
