"""Crashes: what is left of a run that ended anywhere, and who can take it up."""
