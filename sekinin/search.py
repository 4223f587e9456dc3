"""The search index: every resource that has a name, found by its words in Japanese and English as people type them.

Width, kana, case, long vowel marks and hyphens make no difference. A build writes the index beside the store;
here it is only read, and nothing that a reader types is query text of the engine.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from sys import intern
from typing import Any, Final

import tantivy
from tantivy import Occur, Query

from sekinin import queries, resources
from sekinin.errors import BadQuery, Missing, StoreFailure
from sekinin.namespaces import BASE
from sekinin.store import Row, Store, rows

ENGINE: Final = f"tantivy {version('tantivy')}"
"""The engine with its version; it reads only what a version near its own wrote."""
FOUND: Final = ("search/kinds", "search/texts")
"""The saved questions that say what is found, and by what."""
LONGEST: Final = 300
"""Most characters that may be searched for."""
SUGGESTED: Final = 100
"""Hits among which suggestions are ordered."""
_CJK: Final = "々〆〇ァ-ヺヽヾ㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff"
_PIECE: Final = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?P<number>\d+(?:-\d+)+)(?![^\W_])|(?P<word>[^\W_{_CJK}]+(?:[.][^\W_{_CJK}]+)*)")
_LETTER: Final = re.compile(f"[{_CJK}]")
_LONG_VOWEL: Final = re.compile(r"ー+|(?<=[ァ-ヺヽヾ])-+")
_DOT_BETWEEN: Final = re.compile(rf"(?<=[{_CJK}])[・·‧](?=[{_CJK}])")
_ANNEX: Final = re.compile(r"\ba\.(?=\d)")
_KANA: Final = {code: code + 0x60 for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}
_VU: Final = re.compile("ヴ([ァィェォ]?)")
_BU: Final = {"": "ブ", "ァ": "バ", "ィ": "ビ", "ェ": "ベ", "ォ": "ボ"}
_WORDS_OF_LABEL: Final = re.compile(r"[ァ-ヺー]{2,}|[々〆一-鿿]{2,}|[^\W\d_ぁ-ヿ々〆一-鿿][^\W_ぁ-ヿ々〆一-鿿]{2,}")
_SYNTAX: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What the engine reads in a pattern as more than itself; before any other character a backslash may mean something too."""
_HEAP: Final = 128_000_000


def fold(text: str) -> str:
    """Return ``text`` as it is compared.

    Compatibility forms, case, hiragana and katakana are one; a long vowel mark, and a hyphen in its place, is dropped (サーバー is
    サーバ); a middle dot between Japanese letters is dropped; every dash is a hyphen; what cannot be seen is dropped, and
    blanks are one.
    Source: Unicode UAX #15 (NFKC) and the case folding of Unicode, section 5.18.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = _VU.sub(lambda match: _BU[match[1]], text.translate(_LETTERS))
    text = _DOT_BETWEEN.sub("", text)
    return " ".join(_LONG_VOWEL.sub("", text).split())


def _plain(letter: str) -> str:
    """Return a letter, a hyphen for each dash, a blank for a control character, and nothing for what only steers the layout."""
    if letter.isalnum():
        return letter.translate(_KANA)
    kind = unicodedata.category(letter)
    if kind == "Pd" or letter == "\u2212":
        return "-"
    return "" if kind == "Cf" else " " if kind in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") else letter.translate(_KANA)


class _Letters(dict[int, str]):
    """What each letter is compared as, found out once."""

    def __missing__(self, code: int) -> str:
        self[code] = _plain(chr(code))
        return self[code]


_LETTERS: Final = _Letters()


def tokens(text: str) -> list[str]:
    """Return what is looked up: words and numbers whole, runs of Japanese as overlapping pairs, one letter alone as itself.

    ``CLD.13.1.4`` and ``3-2-1`` are one token; ``A.12.3.1``, as Annex A of ISO/IEC 27001 numbers, is ``12.3.1``.
    """
    return [*_tokens(text)]


@lru_cache(50_000)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(token for piece in _pieces(text) for token in piece)


def _pieces(text: str) -> Iterator[list[str]]:
    for match in _PIECE.finditer(_ANNEX.sub("", fold(text))):
        run = match[0]
        yield [run[i : i + 2] for i in range(len(run) - 1)] if match["cjk"] and len(run) > 1 else [run]


@dataclass(frozen=True)
class Entry:
    """One resource that can be found.

    Args:
        iri: of the resource.
        kind: IRI of its class.
        ja: its names in Japanese, the one that is shown first.
        en: its names in English.
        notation: its number, or empty.
        about: IRI of the service that it is about, or of the framework or document that it belongs to, or empty.
        more: further text: definitions, notes, names of what it speaks of; it counts less.
        also: its number as its IRI writes it, if that is another one.
    """

    iri: str
    kind: str
    ja: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    notation: str = ""
    about: str = ""
    more: tuple[str, ...] = ()
    also: str = ""


@dataclass(frozen=True)
class Hit:
    """One resource that was found.

    Args:
        iri: of the resource.
        kind: IRI of its class.
        label_ja: its name in Japanese, or empty.
        label_en: its name in English, or empty.
        notation: its number, or empty.
        score: how well it fits; comparable within one answer only.
        about: IRI of the service that it is about, or of the framework or document that it belongs to, or empty.
    """

    iri: str
    kind: str
    label_ja: str
    label_en: str
    notation: str
    score: float
    about: str

    def label(self, lang: str) -> str:
        """Return its name in ``lang`` if it has one, else in the other language, else its number or IRI."""
        both = (self.label_ja, self.label_en) if lang == "ja" else (self.label_en, self.label_ja)
        return both[0] or both[1] or self.notation or self.iri

    def like(self, typed: str, lang: str) -> str:
        """Return the name that starts with what was typed, else one that contains it, else its name in ``lang``."""
        wanted = _squeezed(typed)
        both = [name for name in (self.label(lang), self.label_ja, self.label_en) if name]
        starting = [name for name in both if _squeezed(name).startswith(wanted)]
        return next(iter([*starting, *(name for name in both if wanted in _squeezed(name))]), self.label(lang))


def entries(store: Store) -> list[Entry]:
    """Return what the saved questions ``FOUND`` find, the kinds that people look for first standing first."""
    kinds, texts = FOUND
    found: dict[str, dict[str, Any]] = {}
    for row in _rows(store, kinds):
        resource, rank = row["resource"].value, int(row["rank"].value)
        if resource not in found or rank < found[resource]["rank"]:  # of the kinds of a resource the first counts
            found[resource] = {"rank": rank, "kind": intern(row["kind"].value)}
    for row in _rows(store, texts):
        said, role, term = found.get(row["resource"].value), row["role"].value, row["text"]
        if said is None:
            continue
        if role in ("name", "more"):
            at = "more" if role == "more" else "en" if getattr(term, "language", None) == "en" else "ja"
            said.setdefault(at, set()).add(term.value)
        else:
            said[role] = min(said.get(role, term.value), term.value)
    ordered = sorted(found.items(), key=lambda item: (item[1]["rank"], item[0]))
    return [_entry(iri, said) for iri, said in ordered if "ja" in said or "en" in said or "notation" in said]


def _rows(store: Store, name: str) -> Iterator[Row]:
    question = queries.bind(queries.get(name), {}).unordered()
    return rows(store.query(question.text.replace("SELECT DISTINCT", "SELECT", 1)))  # else the engine holds all rows


def _entry(iri: str, said: dict[str, Any]) -> Entry:
    notation = said.get("notation", "")
    local = iri.rpartition("/")[2] if iri.startswith(f"{BASE}/framework/") and notation else ""
    names = {name: tuple(sorted(said.get(name, ()))) for name in ("ja", "en", "more")}
    return Entry(iri, said["kind"], **names, notation=notation, about=said.get("about", ""), also=local if local != notation else "")


def beside(store: Path) -> Path:
    """Return the folder of the index of the store at ``store``; a build leaves it there."""
    return store.with_name("search")


def _schema() -> Any:
    schema = tantivy.SchemaBuilder()
    for name in ("iri", "kind"):
        schema.add_text_field(name, stored=True, fast=name == "kind", tokenizer_name="raw", index_option="basic")
    for name in ("label_ja", "label_en", "number", "about"):
        schema.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("ja", "en", "more"):
        schema.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in ("letters", "notation"):
        schema.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    schema.add_text_field("start", tokenizer_name="raw", index_option="basic")
    return schema.build()


def write(folder: Path, found: Iterable[Entry]) -> int:
    """Write an index into ``folder``, which is made, and return the number of its entries.

    Args:
        found: in the order in which equally good hits are shown.
    Raises:
        StoreFailure: if it cannot be written.
    """
    number = 0
    with _writing(folder):
        folder.mkdir(parents=True)
        writer = tantivy.Index(_schema(), path=str(folder)).writer(_HEAP, 1)
        for entry in found:
            writer.add_document(_document(entry))
            number += 1
        writer.commit()
        writer.wait_merging_threads()
    return number


def rewrite(before: Path, folder: Path, gone: Iterable[str], new: Iterable[Entry]) -> None:
    """Write into ``folder``, which is made, the index in ``before`` without some entries and with others.

    An entry that is put in stands behind those of other papers that fit as well.

    Args:
        gone: IRIs of the entries that are left out.
    Raises:
        StoreFailure: if it cannot be written.
    """
    with _writing(folder):
        folder.mkdir(parents=True)
        for path in before.iterdir():  # what the engine once wrote it never changes, but for its lists of files
            (shutil.copyfile if path.suffix == ".json" else resources.link)(path, folder / path.name)
        writer = tantivy.Index.open(str(folder)).writer(_HEAP, 1)
        for iri in gone:
            writer.delete_documents_by_term("iri", iri)
        for entry in new:
            writer.add_document(_document(entry))
        writer.commit()
        writer.wait_merging_threads()


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Leave no lock of the engine behind, and tell what it says when it fails."""
    try:
        yield
        for lock in folder.glob(".*.lock"):
            lock.unlink()
    except (OSError, ValueError, RuntimeError) as why:
        raise StoreFailure(str(folder), f"the index could not be written ({why})", "make room, and run: sekinin build --again") from why


def _document(entry: Entry) -> Any:
    ja, en, more = ([token for text in texts for token in tokens(text)] for texts in (entry.ja, entry.en, entry.more))
    parts = tokens(entry.notation)  # a number of several words can be typed in part
    numbers = [_number(text) for text in (entry.notation, entry.also) if text]
    return tantivy.Document(
        iri=entry.iri,
        kind=entry.kind,
        label_ja=entry.ja[0] if entry.ja else "",
        label_en=entry.en[0] if entry.en else "",
        number=entry.notation,
        about=entry.about,
        ja=" ".join(ja),
        en=" ".join(en),
        more=" ".join([*more, *(parts if len(parts) > 1 else ())]),
        letters=" ".join(sorted(set(_LETTER.findall("".join((*ja, *en, *more)))))),
        notation=" ".join(dict.fromkeys(form for number in numbers for form in (number, number.removeprefix("cld.")))),
        start=[_squeezed(name)[:60] for name in (*entry.ja, *entry.en)],
    )


def _number(text: str) -> str:
    return _ANNEX.sub("", _squeezed(text))


def _squeezed(text: str) -> str:
    return fold(text).replace(" ", "")


class Index:
    """An index that was written, opened for reading; safe for threads.

    Args:
        schema: of the engine.
        searcher: of the engine, over what was there when it was opened.
    """

    def __init__(self, schema: Any, searcher: Any) -> None:
        self._schema = schema
        self._searcher = searcher

    @classmethod
    def open(cls, folder: Path) -> Index:
        """Open the index in ``folder``, which may be read-only.

        Raises:
            Missing: if there is none.
            StoreFailure: if it is damaged.
        """
        if not (folder / "meta.json").is_file():
            raise Missing(str(folder), "there is no search index", "run: sekinin build")
        try:
            # the engine puts a lock beside what it opens, and may still be at it when all files are open
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as room:
                for path in folder.resolve().iterdir():
                    (Path(room) / path.name).symlink_to(path)
                opened = tantivy.Index.open(room)
                opened.config_reader("manual")
                return cls(opened.schema, opened.searcher())
        except (OSError, ValueError, RuntimeError) as why:
            raise StoreFailure(str(folder), f"the search index cannot be read ({why})", "run: sekinin build --again") from why

    def __len__(self) -> int:
        found: int = self._searcher.num_docs
        return found

    def find(self, text: str, most: int = 20, kind: str = "", lang: str = "", skip: int = 0) -> tuple[int, list[Hit]]:
        """Return how many entries have every word of ``text``, and the best of them.

        Args:
            text: as a person types it; a word may be unfinished.
            most: hits that are wanted.
            kind: IRI of a class, to have its members only.
            lang: ``ja`` or ``en``: names in this language count a little more; none is left out.
            skip: hits that are left out at the head.
        Raises:
            BadQuery: if the text is too long.
        """
        query = self._query(text, lang)
        if query is None:
            return 0, []
        if kind:
            query = Query.boolean_query([(Occur.Must, query), (Occur.Must, Query.const_score_query(self._term("kind", kind), 0.0))])
        found = self._searcher.search(query, max(most, 1), offset=skip)
        return found.count, [self._hit(score, place) for score, place in found.hits[:most]]

    def kinds(self, text: str) -> dict[str, int]:
        """Return for each kind how many entries ``find`` has, the largest first."""
        query = self._query(text, "")
        if query is None:
            return {}
        said = self._searcher.aggregate(query, {"kinds": {"terms": {"field": "kind", "size": 200}}})
        return {bucket["key"]: int(bucket["doc_count"]) for bucket in said["kinds"]["buckets"]}

    def get(self, iri: str) -> Hit | None:
        """Return the entry of ``iri``, or None if there is none."""
        found = self._searcher.search(self._term("iri", iri), 1, count=False).hits
        return self._hit(*found[0]) if found else None

    def suggest(self, text: str, most: int = 8, lang: str = "") -> list[Hit]:
        """Return entries whose name or number starts with what was typed, then those that contain it; one of each name.

        Raises:
            BadQuery: if the text is too long.
        """
        query, typed = self._query(text, lang), _squeezed(_short(text))
        if query is None:
            return []
        starts = Query.boost_query(self._prefix("start", typed[:60]), 50.0)
        found = self._searcher.search(Query.boolean_query([(Occur.Should, starts), (Occur.Should, query)]), SUGGESTED, count=False).hits
        kept: dict[str, tuple[bool, int, Hit]] = {}
        for hit in (self._hit(score, place) for score, place in found):
            names = [_squeezed(name) for name in (hit.notation, hit.like(text, lang)) if name]
            starting = [len(name) for name in names if name.startswith(typed)]
            kept.setdefault(" ".join(names), (not starting, min(starting or map(len, names)), hit))
        return [hit for *_, hit in sorted(kept.values(), key=lambda each: each[:2])][:most]

    def nearest(self, text: str, most: int = 3) -> list[str]:
        """Return words and names of the graph that look like ``text``; each of them finds something.

        Raises:
            BadQuery: if the text is too long.
        """
        wanted = [(piece, _squeezed("".join(piece))) for piece in _pieces(_short(text))]
        options: list[tuple[Occur, Any]] = []
        for piece, _ in wanted[:8]:
            for field in ("ja", "en"):
                if len(piece[0]) > 2 or len(piece) == 1:
                    near = Query.fuzzy_term_query(self._schema, field, piece[0][:60], 1 if len(piece[0]) < 6 else 2, prefix=False)
                    options.append((Occur.Should, near))
                else:
                    options += [(Occur.Should, self._term(field, pair)) for pair in piece[:40]]
        if not options:
            return []
        folded = _squeezed(text)
        best: dict[str, tuple[float, str]] = {}
        for score, place in self._searcher.search(Query.boolean_query(options), SUGGESTED, count=False).hits:
            hit = self._hit(score, place)
            for name in (hit.label_ja, hit.label_en):
                for word in (name, *_WORDS_OF_LABEL.findall(name)):
                    known = _squeezed(word)
                    if known and known != folded and known not in best and len(word) <= 60:
                        best[known] = (SequenceMatcher(None, folded, known, autojunk=False).ratio(), word)
        likely = sorted((said for said in best.values() if said[0] >= 0.6), key=lambda said: (-said[0], len(said[1]), said[1]))
        return [word for _, word in likely[: most * 3] if self.find(word, 1)[0]][:most]

    # ---- queries of the engine

    def _query(self, text: str, lang: str) -> Any:
        """Return a query for every word of ``text``, or None if there is no word in it."""
        pieces = [*_pieces(_short(text))]
        if not pieces:
            return None
        wanted = [(Occur.Must, self._word(piece, lang, last=place == len(pieces) - 1)) for place, piece in enumerate(pieces)]
        extra = [
            (Occur.Should, Query.const_score_query(self._term("start", _squeezed(text)[:60]), 30.0)),
            (Occur.Should, Query.const_score_query(self._term("notation", _number(text)), 60.0)),
        ]
        return Query.boolean_query([(Occur.Must, Query.boolean_query(wanted)), *extra])

    def _word(self, piece: list[str], lang: str, last: bool) -> Any:
        """Return a query for one word or one run of Japanese in names, numbers and further text."""
        weights = {"ja": 3.6 if lang == "ja" else 3.0, "en": 3.6 if lang == "en" else 3.0, "more": 0.6}
        word = piece[0]
        if len(piece) > 1:
            return self._any([Query.boost_query(Query.phrase_query(self._schema, f, [*piece]), w) for f, w in weights.items()])
        options = [Query.boost_query(self._term(field, word), weight) for field, weight in weights.items()]
        if re.match(f"[{_CJK}]", word):
            if len(word) == 1:
                options.append(self._term("letters", word))
            return self._any(options)
        options.append(Query.boost_query(self._term("notation", word), 6.0))
        if last or len(word) > 2:
            options += [Query.boost_query(self._prefix(field, word), weight * 0.4) for field, weight in weights.items()]
            options.append(Query.boost_query(self._prefix("notation", word), 2.0))
        return self._any(options)

    def _any(self, options: list[Any]) -> Any:
        return Query.boolean_query([(Occur.Should, option) for option in options])

    def _term(self, field: str, text: str) -> Any:
        return Query.term_query(self._schema, field, _utf8(text), "basic" if field in ("iri", "kind", "start", "notation", "letters") else "freq")

    def _prefix(self, field: str, text: str) -> Any:
        """Return a query for what starts with ``text``, in which every character stands for itself."""
        return Query.regex_query(self._schema, field, _SYNTAX.sub(r"\\\g<0>", text[:60]) + ".*")

    def _hit(self, score: float, place: Any) -> Hit:
        said = self._searcher.doc(place)
        iri, kind, ja, en, number, about = (said.get_first(name) or "" for name in ("iri", "kind", "label_ja", "label_en", "number", "about"))
        return Hit(iri, kind, ja, en, number, round(float(score), 3), about)


def _short(text: str) -> str:
    if len(text) > LONGEST:
        raise BadQuery("search", f"it has {len(text):,} characters; at most {LONGEST} are allowed", "search for a few words")
    return text


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
