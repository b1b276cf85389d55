"""Metamorphic: changes to a graph, or to the way it is run, that must not change its answer. They need no oracle."""
