"""Compound applications as plain LangGraph graphs, with the inputs they ship with."""
