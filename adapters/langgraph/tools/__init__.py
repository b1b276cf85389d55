"""Tools that start while the model is still writing the message that calls them."""

from alto_lg.adapters.langgraph.tools.answering import answering_node, answering_tool, repeatable_function
from alto_lg.adapters.langgraph.tools.catalogue import Catalogue
from alto_lg.adapters.langgraph.tools.run_tools import RunTools

__all__ = [
    "Catalogue",
    "RunTools",
    "answering_node",
    "answering_tool",
    "repeatable_function",
]
