"""What readers will ask first is worked out before they ask: names, services, the pages of the first, every question that is answered whole.

It runs beside the server, in both languages; whoever comes earlier only waits for what they ask.
"""

from __future__ import annotations

import gc
import threading
from contextlib import suppress
from typing import Final

from flask import Flask

from sekinin.errors import SekininError
from webapp import atlas, choices, commitments, completion, controls, data, duties, findings, glossary, graphstore, pages, pieces, profiles, questions
from webapp.answers import context
from webapp.offered import services
from webapp.words import LANGUAGES

FIRST: Final = 20
"""Services whose pages are worked out."""


def warm(app: Flask) -> threading.Thread:
    """Start to work out what readers will ask first, and return the thread that does."""
    thread = threading.Thread(target=_work, args=(app,), name="warm", daemon=True)
    thread.start()
    return thread


def _work(app: Flask) -> None:
    if context(app).cache.most == 0:  # nothing is kept
        return
    for name in app.jinja_env.list_templates(["html"]):
        app.jinja_env.get_template(name)  # reads and keeps it
    with app.test_request_context("/"):
        graphstore.register()
        for parameter in {p.name: p for _, question in questions.asked_by_people() for p in question.params}.values():
            choices.members(parameter)
    for lang in LANGUAGES:
        with app.test_request_context(f"/?lang={lang}"):
            for view in (pages.view, atlas.view, duties.view, commitments.index_view, controls.index_view, glossary.view, findings.view):
                view(lang)
            completion.offered()
            data.titles()
            data.files()
            for service in list(services(lang).values())[:FIRST]:
                for layer in duties.LAYERS.values():
                    duties.book(service, layer, lang)
                profiles.service_view(service, lang)
                profiles.document_view(service.document.rpartition("/doc-")[2], lang)
            for _, question in questions.asked_by_people():
                if not pieces.parameter_of(question, {}):
                    with suppress(SekininError):  # whoever asks is told
                        questions.question_view(question, lang)
    gc.collect()
    gc.freeze()  # what is kept stays as long as this version; to look through it for garbage took 50 ms, of whatever page came just then
