"""STORM: an encyclopedia article on a topic, written from interviews that editors with different perspectives hold."""

from alto_lg.apps.storm.application import STORM, Storm, build, program

__all__ = ["STORM", "Storm", "build", "program"]
