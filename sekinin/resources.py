"""Where things lie: the only module that builds a path.

In a checkout the folders stand beside this package; in an installed wheel they stand
inside it. What can be made again goes to the build folder and nowhere else.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sekinin.errors import Missing

_PACKAGE = Path(__file__).resolve().parent
TEXTS = ("ontology", "graphs", "shapes", "queries")


def home() -> Path:
    """Return the folder that holds ``ontology/ graphs/ shapes/ queries/``.

    ``SEKININ_HOME`` wins; then the checkout around this package; then the wheel.

    Raises:
        Missing: if none of them holds the four folders.
    """
    said = os.environ.get("SEKININ_HOME")
    places = [Path(said)] if said else [_PACKAGE.parent, _PACKAGE / "house"]
    for place in places:
        if all((place / name).is_dir() for name in TEXTS):
            return place
    raise Missing(
        str(places[0]),
        f"the folders {', '.join(TEXTS)} are not there",
        "set SEKININ_HOME to a checkout of Sekinin, or install it again",
    )


def texts(kind: str) -> list[Path]:
    """Return every Turtle file under ``home()/kind``, in the order of their names."""
    return sorted((home() / kind).rglob("*.ttl"))


def topic(path: Path, house: Path | None = None) -> str:
    """Return the name of a file within the house, without its ending: ``graphs/spcc/talkz-1.0``.

    Args:
        house: what ``home`` gives, if it was asked before.
    """
    return str(path.relative_to(house or home()).as_posix()).removesuffix(path.suffix)


def question_files() -> Iterator[Path]:
    """Yield every saved question and check, ``queries/**/*.rq``, in the order of their names."""
    yield from sorted((home() / "queries").rglob("*.rq"))


def vocabulary_file(name: str) -> Path:
    """Return a file of the vocabulary, or of the parties, by its name."""
    return home() / "graphs" / ("parties.ttl" if name == "parties" else f"vocabulary/{name}.ttl")


def rule_files() -> list[Path]:
    """Return the files of rules that the reader of papers goes by, in the order of their names."""
    return sorted((_PACKAGE / "reading" / "rules").glob("*.toml"))


def reader_modules() -> list[Path]:
    """Return the files of the program that reads papers."""
    return sorted((_PACKAGE / "reading").rglob("*.py"))


def framework_file(name: str) -> Path:
    """Return the file of a framework, named with its edition as in ``namespaces.FRAMEWORKS``."""
    return home() / "graphs" / "frameworks" / f"{name}.ttl"


def drafts_folder() -> Path:
    """Return the folder for drafts of papers that are read; it may not be there yet."""
    return build_folder() / "drafts"


def build_folder() -> Path:
    """Return the folder for whatever can be made again, made if need be.

    ``SEKININ_BUILD`` wins; a checkout uses its own ``build/``; a wheel uses the user's cache.
    """
    said = os.environ.get("SEKININ_BUILD")
    if said:
        place = Path(said)
    elif home() == _PACKAGE.parent:
        place = home() / "build"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        place = cache / "sekinin"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise Missing(str(place), f"the build folder cannot be made ({why.strerror})", "set SEKININ_BUILD to a folder that can be written") from why
    return place


def papers_folder() -> Path:
    """Return the folder of the reader's own copies of papers; it may not be there yet.

    ``SEKININ_PAPERS`` wins; else the user's folder for data.
    """
    said = os.environ.get("SEKININ_PAPERS")
    return Path(said) if said else Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "sekinin" / "papers"


def link(path: Path, other: Path) -> None:
    """Give a file that is never written again a second name; where that cannot be, copy it."""
    try:
        os.link(path, other)
    except OSError:
        shutil.copyfile(path, other)
