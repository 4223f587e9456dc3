"""In which format to answer: ``?format=`` for people and for clients that send it, else Accept with its q-values."""

from __future__ import annotations

from typing import Final

from flask import request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable

from sekinin.errors import BadQuery
from sekinin.formats import Format, named

HTML: Final = "html"


def accepted() -> MIMEAccept:
    """Return what the client accepts, without parameters such as charset: what is sent is always UTF-8."""
    return MIMEAccept([(value.partition(";")[0].strip(), quality) for value, quality in request.accept_mimetypes])


def wanted(offers: dict[str, Format], page: bool = True) -> str:
    """Return the name of the format to answer in, or ``html``.

    Args:
        offers: what can be had, the one that is preferred first.
        page: whether there is also a page for a browser.
    Raises:
        BadQuery: for a ``?format=`` that is not offered.
        NotAcceptable: if nothing that the client accepts is offered.
    Source: RFC 9110, section 12.5.1.
    """
    said = request.values.get("format", "")
    if said:
        if said == HTML and page:
            return HTML
        found = named(offers, said)
        if found is None:
            raise BadQuery("format", f"{said[:40]!r} is not offered here", "formats: " + ", ".join([*offers, HTML] if page else offers))
        return found.name
    media = {f.media: f.name for f in offers.values()}
    for form in offers.values():
        for word in form.words:
            if "/" in word:
                media.setdefault(word, form.name)
    if page:
        media["text/html"] = media["application/xhtml+xml"] = HTML
    if not accepted():
        return next(iter(offers))
    best = accepted().best_match([*media])
    if best is None:
        raise NotAcceptable("offered are: " + ", ".join(f.media for f in offers.values()))
    # of equal wishes, as with */*, the first offer; a browser names text/html itself
    return media[best] if accepted()[best] > accepted().quality(next(iter(media))) else _first(media)


def _first(media: dict[str, str]) -> str:
    taken = accepted()
    best = max(taken.quality(m) for m in media)
    exact = [m for m in media if taken.quality(m) == best and any(m == value for value, _ in taken)]
    return media[exact[0]] if exact else next(media[m] for m in media if taken.quality(m) == best)
