"""The engine: what may start, and in which order results count. Standard library only."""
