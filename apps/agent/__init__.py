"""An agent with three tools that only read, as LangGraph and LangChain make it."""

from alto_lg.apps.agent.application import AGENT, Agent, build, program

__all__ = ["AGENT", "Agent", "build", "program"]
