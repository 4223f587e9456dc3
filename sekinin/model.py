"""The plain things that pass between the steps: findings, parameters, questions, counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that a check found, told so that its reader can mend it.

    Args:
        severity: ``Violation``, ``Warning`` or ``Info``, as in SHACL.
        where: IRI of the node that is concerned.
        rule: name of the shape or of the check that complains.
        what: what was found, by language (``en``, ``ja``).
        value: the value that does not fit, or the empty string.
        file: name of the file within the house, or the empty string.
    """

    severity: str
    where: str
    rule: str
    what: dict[str, str] = field(compare=False)
    value: str = ""
    file: str = ""

    def text(self, language: str) -> str:
        """Return what was found in ``language`` (``en`` or ``ja``), else in English."""
        return self.what.get(language) or self.what.get("en", "")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a saved question: the variable that it binds, and the kind of its term.

    ``kind`` is ``iri``, ``string`` or ``integer``; ``default`` is the text of the term that is
    bound when the reader gives none, or None when the question then answers for everything.
    """

    name: str
    kind: str
    default: str | None = None


@dataclass(frozen=True)
class Question:
    """A saved question: one ``.rq`` file, header first, runnable as it stands."""

    name: str
    path: Path
    text: str
    header: dict[str, str]
    params: tuple[Parameter, ...]
    returns: tuple[str, ...]

    def summary(self, language: str) -> str:
        """Return the sentence that says what is asked, in ``language`` (``en`` or ``ja``)."""
        return self.header["summary" if language == "en" else f"summary-{language}"]

    @property
    def successors(self) -> tuple[str, ...]:
        """The questions to be asked instead of this one, which will go; none if it stays."""
        return tuple(name.strip() for name in self.header.get("deprecated", "").split(",") if name.strip())


@dataclass(frozen=True)
class Verdict:
    """How the citations into one rendition stand.

    Args:
        rendition: IRI of the rendition.
        label: its name.
        paper: the file that has the rendition's digest, or None if it is not there.
        held: number of citations whose span has the digest that the graph says.
        broken: for each that has not: IRI of the citation, and why.
    """

    rendition: str
    label: str
    paper: Path | None
    held: int
    broken: tuple[tuple[str, str], ...]

    @property
    def good(self) -> bool:
        """Whether the paper was there and every citation into it holds."""
        return self.paper is not None and not self.broken
