"""Stateful: long lives of threads, on plain LangGraph and on ours side by side."""
