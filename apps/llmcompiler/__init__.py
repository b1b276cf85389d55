"""LLMCompiler: a plan of tool calls that need each other's results, each made as soon as it can be."""

from alto_lg.apps.llmcompiler.application import LLMCOMPILER, PlanCompiler, build, program

__all__ = ["LLMCOMPILER", "PlanCompiler", "build", "program"]
