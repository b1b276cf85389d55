"""Every hand-made graph shape, by name.

Owns the list only: the shapes stand in `dropin/shapes/`, one file per kind. Always true: names are unique.
"""

from __future__ import annotations

from dropin.shapes import branches, failures, fanouts, flows, parts, routes, states, stops, streams, subgraphs
from dropin.shapes.base import Shape

_FILES = (branches, fanouts, routes, states, subgraphs, stops, failures, flows, streams, parts)

SHAPES: tuple[Shape, ...] = tuple(shape for file in _FILES for shape in file.SHAPES)

BY_NAME = {shape.name: shape for shape in SHAPES}


def shape(name: str) -> Shape:
    """The shape of that name."""
    return BY_NAME[name]


def overlapping() -> tuple[Shape, ...]:
    """The shapes whose virtual time is known on both sides."""
    return tuple(item for item in SHAPES if item.critical_path_s is not None)
