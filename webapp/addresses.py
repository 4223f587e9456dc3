"""IRIs and addresses: where on this server each IRI of ours is answered, and which IRI a path means.

The data are never rewritten. Only addresses are made: with ``SEKININ_BASE_URL``, the public address under which this
server stands for the base of the IRIs, or without it as paths, which hold on any host and port.
"""

from __future__ import annotations

import os
import re
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from flask import current_app, g, request

from sekinin.errors import BadQuery
from sekinin.namespaces import BASE, PREFIXES
from webapp.words import language

SETTING: Final = "SEKININ_BASE_URL"
LONGEST: Final = 2000
"""Characters; no IRI of ours comes near it, and a longer one is unknown without asking the store."""
SAFE: Final = "/!$&'()*+,;=:@~"
_IRI = re.compile(r"[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f\ufffd\ud800-\udfff]+")
_BEYOND_ASCII = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
DOCUMENTS: Final = {"ontology": BASE, "shapes": PREFIXES["sks"].removesuffix("#")}
"""The documents that hold terms behind a hash: the name in our addresses, and the IRI."""


def base_url(said: str | None = None) -> str:
    """Return the public base, without a slash at its end; empty where addresses are paths.

    Args:
        said: the setting of the application; without one, that of the environment.
    Raises:
        BadQuery: if it is no http address, or has a query or a fragment.
    """
    text = (said or os.environ.get(SETTING, "")).strip().rstrip("/")
    if text and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/%\-]*)?", text):
        raise BadQuery(SETTING, f"{text[:100]!r} is no address", "write it like https://w3id.org/sekinin or http://127.0.0.1:8027")
    return text


def address(path: str, **arguments: str) -> str:
    """Return the address of ``path``, given decoded and without a slash at its head, with ``arguments`` as its query.

    A percent sign of the path is encoded too, so that an address decodes to exactly one name. Nothing that a client
    sent becomes the host: the base comes from the setting, or there is none.
    """
    base = current_app.config.get(SETTING) or request.script_root
    query = urlencode({name: value for name, value in arguments.items() if value})
    return f"{base}/{quote(path, safe=SAFE)}" + (f"?{query}" if query else "")


def name_of(iri: str) -> str:
    """Return the name of one of our IRIs as it stands behind ``/page/`` and ``/data-of/``, or the empty string."""
    for name, document in DOCUMENTS.items():
        if iri == document:
            return name
        if iri.startswith(document + "#"):
            return f"{name}/{iri[len(document) + 1 :]}"
    return iri.removeprefix(BASE + "/") if iri.startswith(BASE + "/") else ""


def iri_of(name: str) -> str:
    """Return the IRI that ``name`` stands for; the other way round than ``name_of``."""
    document, _, local = name.partition("/")
    if document in DOCUMENTS:
        return f"{DOCUMENTS[document]}#{local}" if local else DOCUMENTS[document]
    return f"{BASE}/{name}"


def meant(prefix: str, rest: str) -> list[str]:
    """Return the IRIs that this request's path may mean, the likeliest first.

    Over HTTP an IRI with Japanese in it and the same IRI percent-encoded look alike, and a server may hand over the path
    decoded. So: as it was sent, with its Japanese decoded, wholly decoded, and encoded again.

    Args:
        prefix: of the IRIs, such as ``https://w3id.org/sekinin/id/``.
        rest: what follows, decoded.
    Source: RFC 3987, sections 3.1 and 3.2.
    """
    sent = str(request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or "")
    sent = (urlsplit(sent).path if "://" in sent else sent).partition("?")[0]
    raw = ""
    if unquote(sent) == request.script_root + request.path and unquote(sent).endswith(rest):
        raw = sent[_start(sent, len(unquote(sent)) - len(rest)) :]
    encoded = quote(rest, safe=SAFE)
    japanese = _BEYOND_ASCII.sub(lambda match: unquote(match[0]), raw or encoded)
    found = dict.fromkeys(prefix + text for text in (raw, japanese, rest, encoded) if text)
    return [iri for iri in found if is_iri(iri)]


def _start(sent: str, decoded: int) -> int:
    """Return where in ``sent`` its first ``decoded`` characters, once decoded, end; they are ASCII, so each is one or three."""
    place = 0
    for _ in range(decoded):
        place += 3 if sent[place] == "%" else 1
    return place


def is_iri(text: str) -> bool:
    """Whether ``text`` may be an IRI of the graph: of its characters, and no longer than any of ours."""
    return len(text) <= LONGEST and bool(_IRI.fullmatch(text))


def uri(iri: str) -> str:
    """Return an IRI as it may stand in a header: ASCII only."""
    return quote(iri, safe=SAFE + "%#?[]")


def kept() -> dict[str, str]:
    """Return what a link or a redirect carries on of this request: its language and whether inference is off."""
    said = {"lang": request.args.get("lang", ""), "inference": request.args.get("inference", "")}
    return {name: value for name, value in said.items() if value in ("ja", "en", "off")}


def path_of(iri: str) -> str:
    """Return where a link to ``iri`` leads: to its page if it is ours, to the IRI itself if it is of the web, else nowhere.

    An IRI of another scheme, as ``javascript:``, comes from whoever wrote a query; it is shown and never linked.
    """
    known: dict[str, str] = g.setdefault("paths", {})
    if iri not in known:
        if "carried" not in g:
            g.carried = {**kept(), "lang": language()}
        known[iri] = _path_of(iri, g.carried)
    return known[iri]


def _path_of(iri: str, more: dict[str, str]) -> str:
    name = name_of(iri)
    if not name:
        return iri if iri.startswith(("https://", "http://", "mailto:")) else ""
    if iri.startswith(PREFIXES["id"] + "service-") and "inference" not in more:
        from webapp.graphstore import register

        if iri in register().services:
            return address("services/" + iri.removeprefix(PREFIXES["id"] + "service-"), **more)
    return address("page/" + name, **more)


def other_inference() -> str:
    """Return the address of this page with inference the other way."""
    arguments = {name: value for name, value in request.args.items() if name != "inference"}
    if request.args.get("inference") != "off":
        arguments["inference"] = "off"
    return "?" + urlencode(arguments)
