"""Placement: where the code of a node runs, if not beside the graph. Nothing here knows LangGraph."""
