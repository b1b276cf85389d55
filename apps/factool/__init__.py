"""FacTool: find the claims of an answer that the evidence does not bear out."""

from alto_lg.apps.factool.application import FACTOOL, FacTool, build, program

__all__ = ["FACTOOL", "FacTool", "build", "program"]
