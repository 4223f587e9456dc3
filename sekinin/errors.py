"""What can go wrong, each said once: where it is, what was found, what to do.

Every error keeps its parts as fields, so that the command line can print them on one
line and a page can lay them out; ``exit_code`` is what a script sees.
"""

from __future__ import annotations


class SekininError(Exception):
    """An error that a user can mend.

    Args:
        where: file, IRI or address that is concerned, with line and column if known.
        found: what is the matter.
        remedy: what to do about it.
    """

    exit_code = 1

    def __init__(self, where: str, found: str, remedy: str) -> None:
        super().__init__(where, found, remedy)
        self.where = where
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; {self.remedy}"


class BadData(SekininError):
    """A file of ours does not say what it must: syntax, an unknown term, a wrong IRI."""

    exit_code = 3


class Missing(SekininError):
    """A file, a folder, a store or a paper that is needed is not there."""

    exit_code = 4


class BadQuery(SekininError):
    """A query does not parse, or a parameter does not fit it."""

    exit_code = 5


class Unreasonable(SekininError):
    """The reasoner found the graph inconsistent or returned something that is not RDF."""

    exit_code = 6


class StoreFailure(SekininError):
    """A store is damaged, locked, unreachable or answers wrongly."""

    exit_code = 7


class Refused(SekininError):
    """Something that is not allowed here: an update, a federated call, an address in use."""

    exit_code = 8


class Busy(SekininError):
    """All workers are at work, and none came free in time."""

    exit_code = 9


class TooSlow(SekininError):
    """A query took longer than it may, and its worker was ended."""

    exit_code = 9


class TooExpensive(SekininError):
    """A query wanted more memory than it may have, or brought the engine down."""

    exit_code = 9


class TooLong(SekininError):
    """A query or a result is longer, or more deeply nested, than is allowed here."""

    exit_code = 9


class TooMany(SekininError):
    """A client asked more often than it may."""

    exit_code = 9
