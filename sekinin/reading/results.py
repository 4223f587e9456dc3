"""What reading a paper gives: items with status, layers, duties and commitments, and what is said apart from any item."""

from __future__ import annotations

from dataclasses import dataclass, field

from sekinin.reading.quantities import Quantity
from sekinin.reading.rules import table

Span = tuple[int, int]
LAYERS = {"csp": "ProviderLayer", "customer": "CustomerLayer", "infrastructure": "InfrastructureLayer"}
"""The layers, as the reader's JSON and as the ontology call them."""


def kind_of(metric: str) -> str:
    """Return what a metric is called in the reader's JSON."""
    known: str = table("kinds")["kinds"].get(metric, metric.replace("-", "_"))
    return known


@dataclass(frozen=True)
class Duty:
    """A duty of one party, with the passage that says so."""

    party: str
    span: Span
    rule: str
    confidence: float
    bindingness: str = "Firm"


@dataclass(frozen=True)
class Commitment:
    """One promise.

    Args:
        metric: of the vocabulary, without its prefix.
        cls: local name of its class.
        quantity: its figure, or None.
        printed: the figure as printed.
        values: values of the vocabulary, or protocol versions such as ``TLS1.2``.
        provided: whether it is given or denied, where that is the point.
        party: who is bound: ``csp`` as a rule.
    """

    metric: str
    cls: str
    span: Span
    rule: str
    confidence: float
    quantity: Quantity | None = None
    printed: str = ""
    values: tuple[str, ...] = ()
    provided: bool | None = None
    bindingness: str = "Firm"
    vague: tuple[str, ...] = ()
    clock: str = ""
    subject: str = ""
    party: str = "csp"
    record: bool = False


@dataclass(frozen=True)
class Location:
    """Where one category of data lies."""

    category: str
    code: str
    en: str
    ja: str
    span: Span
    rule: str
    confidence: float


@dataclass(frozen=True)
class Certificate:
    """A claim about a certificate: its standard, its state, and whose it is."""

    standard: str
    claim: str
    state: str
    holder: str
    span: Span
    rule: str
    confidence: float


@dataclass(frozen=True)
class Assignment:
    """One cell of a duty table: an area, a layer, and what is to be done; no task for a printed dash."""

    area: str
    party: str
    printed: str
    span: Span
    rule: str
    confidence: float


@dataclass
class Item:
    """What a paper says under one heading or in one row.

    Args:
        framework: prefix of the framework, or nothing.
        number: of the control or row; nothing for a section that heads no control.
        status: local name of a status of the ontology, or ``NotAddressed``.
        passages: the sentences that the status rests on.
    """

    framework: str
    number: str
    printed: str
    title: str
    form: str
    span: Span
    heading: Span
    confidence: float
    rule: str
    mark: str | None = None
    status: str = "NotAddressed"
    status_rule: str = ""
    status_confidence: float = 0.5
    layers: tuple[str, ...] = ()
    by_reference: bool = False
    refers_to: tuple[str, ...] = ()
    denies: bool = False
    contradiction: bool = False
    passages: tuple[Span, ...] = ()
    duties: list[Duty] = field(default_factory=list)
    commitments: list[Commitment] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)


@dataclass
class Reading:
    """All that was read from one paper.

    Args:
        name: of its file.
        frameworks: prefixes with their evidence.
        words: what the paper itself calls each layer, with the first place.
        items: controls, rows and other sections that say something.
    """

    name: str
    title: str
    provider: str
    services: tuple[str, ...]
    version: str
    date: str
    language: str
    frameworks: dict[str, str]
    platforms: tuple[str, ...]
    words: dict[str, dict[str, Span]]
    items: list[Item]
    text: str
    warnings: tuple[str, ...] = ()
