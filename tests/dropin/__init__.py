"""The drop-in bench: every body runs on plain LangGraph and accelerated, same assertions."""
