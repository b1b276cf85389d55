"""IRCoT: a question that needs several passages, each search led by the last sentence of the reasoning so far."""

from alto_lg.apps.ircot.application import IRCOT, InterleavedRetrieval, build, program

__all__ = ["IRCOT", "InterleavedRetrieval", "build", "program"]
