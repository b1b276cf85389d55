"""Random graphs: drawn from a seed, run on LangGraph and on ours, compared."""
