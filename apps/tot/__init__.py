"""Tree of Thoughts on the Game of 24: four numbers, three samples a thought, the best five kept at each step."""

from alto_lg.apps.tot.application import TOT, TreeOfThoughts, build, program

__all__ = ["TOT", "TreeOfThoughts", "build", "program"]
