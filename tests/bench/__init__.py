"""Regression benchmarks: the same work on LangGraph and accelerated, as ratios that are kept and compared."""
