"""The API as an OpenAPI 3.1 document, written from the catalogue of questions, so that the two cannot disagree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask import request, url_for

from sekinin.model import Parameter, Question
from webapp.answers import version
from webapp.api import RESULTS, form_of
from webapp.choices import members, what_to_write
from webapp.problems import KINDS, MEDIA
from webapp.words import LANGUAGES

SHORT: Final = 50
"""Choices that a list in the document may have; a longer one is at the address of its choices."""
_WORDS: Final = {
    "title": ("責任の質問API", "Questions of Sekinin"),
    "description": (
        "保存された質問に、引数を与えて答えを得ます。引数はRDFの項として束縛されます。",
        "Saved questions, answered with parameters. A parameter is bound as an RDF term.",
    ),
    "format": ("答えの形式。Acceptより優先", "format of the answer; goes before Accept"),
    "inference": ("off は推論と集計を除く", "off leaves out what was inferred and derived"),
    "limit": ("一頁の行数", "rows on a page"),
    "offset": ("飛ばす行数", "rows to leave out at the start"),
    "from": ("この資源から始める（次頁へのリンクにある）", "the resource to begin with, as the link to the next page has it"),
    "answer": (
        "答え。版はヘッダーSekinin-Versionに、打切りはSekinin-Truncatedに、一部ならその範囲はSekinin-Partに示す",
        "The answer; headers name the version, a cut-off, and which part it is",
    ),
    "instead": ("廃止予定。代わりに {} を使う", "It will go; ask {} instead"),
    "choices": ("選べるものの一覧", "what may be chosen"),
    "problem": ("問題の説明（RFC 9457）", "What is the matter (RFC 9457)"),
}
_RESULTS_SCHEMA: Final = {
    "rows": {
        "type": "object",
        "required": ["head", "results"],
        "properties": {
            "head": {"type": "object", "required": ["vars"], "properties": {"vars": {"type": "array", "items": {"type": "string"}}}},
            "results": {
                "type": "object",
                "required": ["bindings"],
                "properties": {
                    "bindings": {"type": "array", "items": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Term"}}}
                },
            },
        },
    },
    "boolean": {"type": "object", "required": ["head", "boolean"], "properties": {"head": {"type": "object"}, "boolean": {"type": "boolean"}}},
}
_COMPONENTS: Final = {
    "Solution": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Term"}},
    "Term": {
        "type": "object",
        "required": ["type", "value"],
        "properties": {
            "type": {"enum": ["uri", "literal", "bnode", "typed-literal"]},
            "value": {"type": "string"},
            "xml:lang": {"type": "string"},
            "datatype": {"type": "string"},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "remedy": {"type": "string"},
            "hints": {"type": "array", "items": {"type": "string"}},
        },
    },
}


def document(questions: Iterable[Question], lang: str) -> dict[str, Any]:
    """Return the document for ``questions``.

    Args:
        lang: language of titles and descriptions, ``ja`` or ``en``.
    Source: OpenAPI Specification 3.1.1.
    """

    def say(key: str) -> str:
        return _WORDS[key][LANGUAGES.index(lang)]

    paths = {}
    for question in questions:
        topic, _, name = question.name.partition("/")
        place = url_for("api.ask", topic=topic, name=name)
        paths[place] = {"get": _operation(question, lang)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": say("title"),
            "version": version(),
            "description": say("description"),
            "license": {"name": "CC BY 4.0", "identifier": "CC-BY-4.0"},
        },
        "servers": [{"url": request.url_root.rstrip("/")}],
        "paths": paths,
        "components": {
            "schemas": _COMPONENTS,
            "parameters": {each["name"]: each for each in _common(say)},
            "responses": {"Problem": {"description": say("problem"), "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}},
        },
    }


def _common(say: Any) -> list[dict[str, Any]]:
    kinds = {
        "inference": {"type": "string", "enum": ["on", "off"], "default": "on"},
        "limit": {"type": "integer", "minimum": 1},
        "offset": {"type": "integer", "minimum": 0},
        "from": {"type": "string", "format": "iri"},
    }
    return [{"name": name, "in": "query", "description": say(name), "schema": schema} for name, schema in kinds.items()]


def _operation(question: Question, lang: str) -> dict[str, Any]:
    kind = form_of(question)
    offers = RESULTS[kind]
    paged = ("limit", "offset", "from") if kind == "rows" else ()
    here = LANGUAGES.index(lang)
    form = {"name": "format", "in": "query", "description": _WORDS["format"][here], "schema": {"type": "string", "enum": list(offers)}}
    content: dict[str, Any] = {offer.media: {} for offer in offers.values()}
    if kind in _RESULTS_SCHEMA:
        content[offers["json"].media] = {"schema": _RESULTS_SCHEMA[kind]}
    return {
        "operationId": question.name.replace("/", "_").replace("-", "_"),
        "tags": [question.name.partition("/")[0]],
        "summary": question.summary(lang),
        **({"deprecated": True, "description": _WORDS["instead"][here].format(", ".join(question.successors))} if question.successors else {}),
        "parameters": [
            *(_parameter(question, each, lang) for each in question.params),
            form,
            *({"$ref": f"#/components/parameters/{name}"} for name in ("inference", *paged)),
        ],
        "responses": {
            "200": {"description": _WORDS["answer"][here], "content": content},
            **{str(status): {"$ref": "#/components/responses/Problem"} for status in sorted({kind.status for kind in KINDS.values()})},
        },
    }


def _parameter(question: Question, parameter: Parameter, lang: str) -> dict[str, Any]:
    """Return one parameter; an IRI may be any, but the ones that are there are named, or where they are listed."""
    found = members(parameter)
    here = LANGUAGES.index(lang)
    what = what_to_write(parameter)[here]
    schema: dict[str, Any] = {"type": "integer" if parameter.kind == "integer" else "string"}
    if parameter.name == "lang":
        schema["enum"] = ["ja", "en"]
    elif found and len(found) <= SHORT:
        names = ", ".join(f"{c.value} ({(c.ja if lang == 'ja' else c.en) or c.en or c.ja})" if c.ja or c.en else c.value for c in found)
        what = f"{what}: {names}"
        schema = {"anyOf": [{"type": "string", "enum": [c.value for c in found]}, {"type": "string", "format": "iri"}]}
    elif found:
        topic, _, name = question.name.partition("/")
        what = f"{what}; {_WORDS['choices'][here]}: {url_for('api.choose', topic=topic, name=name, parameter=parameter.name)}"
    if parameter.default is not None:
        schema["default"] = int(parameter.default) if parameter.kind == "integer" else parameter.default
    said = {"name": parameter.name, "in": "query", "description": what, "schema": schema}
    return said | ({"example": found[0].value} if found else {})
