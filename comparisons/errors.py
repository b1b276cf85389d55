"""What can go wrong in a comparison, by whose fault it is.

ComparisonError
├── UsageError       the command line asks for something that does not exist
├── ServerError      the model server does not answer, or refuses
└── WorkerError      an arm's process ended or its graph raised
"""

from __future__ import annotations


class ComparisonError(Exception):
    """Something that ends a comparison with a message and without a traceback."""


class UsageError(ComparisonError):
    """The command line asks for something that does not exist; found before any work."""


class ServerError(ComparisonError):
    """The model server cannot be used; found before any work."""


class WorkerError(ComparisonError):
    """One arm could not run a request: carries the arm, the request and what its process wrote last."""

    def __init__(self, arm: str, doing: str, reason: str, written: str = "") -> None:
        self.arm, self.doing, self.reason, self.written = arm, doing, reason, written
        tail = f"\nlast lines that its process wrote:\n{written}" if written else ""
        super().__init__(f"arm {arm!r}, {doing}: {reason}{tail}")
