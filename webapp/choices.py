"""What a reader may choose for a parameter of a saved question: taken from the graph, with names in both languages.

One table says of which class each parameter is a member; where a question returns the parameter too, only what
really occurs in its answer is a choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import pyoxigraph as ox

from sekinin.model import Parameter, Question
from sekinin.namespaces import PREFIXES, shrink
from webapp.graphstore import register
from webapp.saved import ask, kept, tabled

CLASSES: Final = {
    "action": "sk:Action", "area": "sk:Area", "aspect": "sk:Aspect", "category": "sk:DataCategory", "channel": "sk:Channel",
    "class": "owl:Class", "control": "sk:Control", "country": "sk:Country", "document": "sk:DisclosureDocument", "first": "sk:Metric",
    "framework": "sk:ControlFramework", "holder": "sk:Party", "item": "sk:CheckItem", "kind": "owl:Class", "layer": "sk:ResponsibilityLayer",
    "list": "sk:PrintedList", "metric": "sk:Metric", "object": "sk:Value", "party": "sk:Party", "polarity": "sk:Polarity",
    "relation": "owl:ObjectProperty", "rendition": "sk:TextRendition", "second": "sk:Metric", "section": "sk:Section", "service": "sk:CloudService",
    "standard": "sk:Standard", "statement": "sk:Statement", "status": "sk:ClaimStatus", "supplier": "sk:Party", "version": "sk:ProtocolVersion",
    "zone": "sk:InfrastructureService",
}  # fmt: skip
"""For each parameter that takes an IRI, the class whose members it may be."""
GRAPHS: Final = ("graph",)
"""Parameters that take the name of a graph."""
FREE: Final = {
    "at": ("日時（例: 2025-05-13T16:45:00+09:00）", "a date and time, such as 2025-05-13T16:45:00+09:00"),
    "date": ("日付（例: 2026-06-15）", "a date, such as 2026-06-15"),
    "days": ("日数", "a number of days"),
    "edition": ("文書に書かれたとおりの製品名", "the name of a product as it is printed"),
    "holidays": ("祝日の日付をコンマで区切ったもの", "dates of holidays, with commas between them"),
    "host": ("Webサーバーの名前（例: aws.amazon.com）", "the name of a web server, such as aws.amazon.com"),
    "hours": ("時間数", "a number of hours"),
    "mark": ("印（例: ○）", "a mark, such as ○"),
    "name": ("文書に現れる名前（例: EC2）", "a name that a paper uses, such as EC2"),
    "number": ("規格の番号（例: 27001）", "the number of a standard, such as 27001"),
    "numbers": ("番号をコンマで区切ったもの（例: 9.2.1,12.3.1）", "numbers with commas between them, such as 9.2.1,12.3.1"),
    "outcome": ("結果（denied 又は unanswered）", "an outcome: denied or unanswered"),
    "resource": ("任意の資源のIRI", "the IRI of any resource"),
    "standard": ("規格の名称（例: ISO/IEC 27001）", "the name of a standard, such as ISO/IEC 27001"),
    "thing": ("任意の資源のIRI", "the IRI of any resource"),
    "term": ("クラス又は関係のIRI", "the IRI of a class or property"),
}
"""Parameters that anything of their kind fits: what to write, in Japanese and English."""
LANGUAGES: Final = ("ja", "en")
LISTED: Final = 20_000
"""Members of a class that are listed, with their names; of more, none."""


@dataclass(frozen=True)
class Choice:
    """One value that a parameter may take.

    Args:
        value: an IRI with a prefix of the house where one fits, or the text.
        iri: the whole IRI, or empty for a text.
        notation: its number, or empty.
        ja: its name in Japanese, or empty.
        en: its name in English, or empty.
    """

    value: str
    iri: str = ""
    notation: str = ""
    ja: str = ""
    en: str = ""


def choices(question: Question, parameter: Parameter) -> list[Choice]:
    """Return what may be chosen, or nothing where anything of the parameter's kind fits.

    Where the question answers for everything and returns the parameter, only what occurs in that answer is a choice.
    """
    if parameter.name == "lang":
        return [Choice(each) for each in LANGUAGES]
    known = members(parameter)
    if parameter.default is not None or parameter.name not in question.returns:
        return known
    occurring = _occurring(question, parameter.name)
    names = {choice.iri or choice.value: choice for choice in known}
    return [names.get(text, Choice(shrink(text) if is_iri else text, text if is_iri else "")) for text, is_iri in occurring]


def members(parameter: Parameter) -> list[Choice]:
    """Return the members of the parameter's class, whatever the question; read once for each version of the data.

    Nothing where there are more than anybody would choose from.
    """
    if parameter.name in GRAPHS:
        return [Choice(shrink(iri), iri) for iri in register().graphs]
    if parameter.kind != "iri" or parameter.name not in CLASSES:
        return []
    name = CLASSES[parameter.name]
    return kept(f"members {name}", lambda: _members(name))


def _members(name: str) -> list[Choice]:
    found: dict[str, dict[str, str]] = {}
    if int(ask("choices/how-many", **{"class": name})[0]["number"].value) > LISTED:
        return []
    for row in ask("choices/of-class", **{"class": name}):
        said = found.setdefault(row["value"].value, {})
        for key in ("notation", *LANGUAGES):
            if key in row:
                said.setdefault(key, row[key].value)
    return [Choice(shrink(iri), iri, **said) for iri, said in found.items()]


def _occurring(question: Question, name: str) -> list[tuple[str, bool]]:
    """Return the values of one column of the question's whole answer, in order, each with whether it is an IRI."""
    found = tabled(question, {})
    place = found.names.index(name)
    terms = dict.fromkeys(row[place] for row in found.rows)
    return sorted((term.value, isinstance(term, ox.NamedNode)) for term in terms if term is not None and not isinstance(term, ox.Triple))


def nearest(parameter: Parameter, said: str) -> str:
    """Return the choice whose value, number or name is nearest to what was said, or the empty string."""
    found = {text: choice.value for choice in members(parameter) for text in (choice.en, choice.ja, choice.notation, choice.value) if text}
    near = get_close_matches(said, found, n=1, cutoff=0.5)
    return found[near[0]] if near else ""


def what_to_write(parameter: Parameter) -> tuple[str, str]:
    """Return what a parameter takes, in Japanese and English."""
    if parameter.name == "lang":
        return "名称の言語", "the language of names"
    if (parameter.name in FREE and parameter.name not in CLASSES) or parameter.kind != "iri":
        return FREE[parameter.name]
    if parameter.name in GRAPHS:
        return "名前付きグラフのIRI", "the IRI of a named graph"
    return f"{CLASSES[parameter.name]} のIRI", f"the IRI of a {CLASSES[parameter.name]}"


def prefixes_of(values: list[Choice]) -> dict[str, str]:
    """Return the prefixes that ``values`` use."""
    return {prefix: PREFIXES[prefix] for prefix in sorted({c.value.partition(":")[0] for c in values if c.iri}) if prefix in PREFIXES}
