"""Placed nodes: nodes whose code runs elsewhere, while all else of the run stays here."""

from alto_lg.adapters.langgraph.placed.placements import Placements

__all__ = ["Placements"]
