"""In which format to answer: ``?format=`` for people and for clients that send it, else Accept with its q-values."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from flask import request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable
from werkzeug.http import parse_accept_header

from sekinin.errors import BadQuery
from sekinin.formats import Format, named

HTML: Final = "html"
LONGEST: Final = 4000
"""Characters of an Accept header that are read."""


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
    if not said:
        return _best(tuple(offers.values()), request.headers.get("Accept", "")[:LONGEST], page)
    if said == HTML and page:
        return HTML
    found = named(offers, said)
    if found is None:
        raise BadQuery("format", f"{said[:40]!r} is not offered here", "formats: " + ", ".join([*offers, HTML] if page else offers))
    return found.name


@lru_cache(maxsize=1024)
def _best(offers: tuple[Format, ...], accept: str, page: bool) -> str:
    """Return what fits an Accept header best; of equal wishes, as with ``*/*``, the first offer: a browser names text/html itself."""
    media = {form.media: form.name for form in offers}
    for form in offers:
        for word in form.words:
            if "/" in word:
                media.setdefault(word, form.name)
    if page:
        media["text/html"] = media["application/xhtml+xml"] = HTML
    # without parameters such as charset: what is sent is always UTF-8
    taken = MIMEAccept([(value.partition(";")[0].strip(), quality) for value, quality in parse_accept_header(accept, MIMEAccept)])
    if not taken:
        return offers[0].name
    best = taken.best_match([*media])
    if best is None:
        raise NotAcceptable("offered are: " + ", ".join(form.media for form in offers))
    if taken[best] > taken.quality(next(iter(media))):
        return media[best]
    most = max(taken.quality(each) for each in media)
    exact = [each for each in media if taken.quality(each) == most and any(each == value for value, _ in taken)]
    return media[exact[0]] if exact else next(media[each] for each in media if taken.quality(each) == most)
