"""Readings: nodes that take a part of a list, or take it piece by piece, while others still write it."""

from alto_lg.readings._decorator import reading, readings_of
from alto_lg.readings._live import LiveGroups, LiveItems, LiveValue, UnfinishedList
from alto_lg.readings._specs import First, Group, Items, PerGroup, Reading, Stream

__all__ = [
    "First",
    "Group",
    "Items",
    "LiveGroups",
    "LiveItems",
    "LiveValue",
    "PerGroup",
    "Reading",
    "Stream",
    "UnfinishedList",
    "reading",
    "readings_of",
]
