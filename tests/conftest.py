"""What the tests share: the texts read once, the store built once, the papers where the reader has them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from rdflib import Graph

from sekinin import build as builder
from sekinin import resources, texts
from sekinin.convert import to_graph
from sekinin.errors import StoreFailure
from sekinin.store import EmbeddedStore
from webapp import create_app

HOUSE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def read() -> list[texts.Text]:
    """Every Turtle file of the house."""
    return texts.read_all()


@pytest.fixture(scope="session")
def ontology(read: list[texts.Text]) -> Graph:
    return to_graph(text.quads for text in read if text.kind == "ontology")


@pytest.fixture(scope="session")
def data(read: list[texts.Text]) -> Graph:
    """All asserted graphs, as one."""
    return to_graph(text.quads for text in read if text.kind == "graphs")


@pytest.fixture(scope="session")
def shapes(read: list[texts.Text]) -> Graph:
    return to_graph(text.quads for text in read if text.kind == "shapes")


@pytest.fixture(scope="session")
def built() -> builder.Built:
    """The build of the texts as they stand; a second worker waits for the first."""
    for _ in range(240):
        try:
            return builder.build()
        except StoreFailure as why:
            if "another build" not in why.found:
                raise
            time.sleep(0.5)
    raise AssertionError("another build did not end in two minutes")


@pytest.fixture(scope="session")
def store(built: builder.Built) -> EmbeddedStore:
    assert built.store, [f.text("en") for f in built.findings if f.severity == "Violation"][:5]
    return builder.open_current()


@pytest.fixture(scope="module")
def client(store: EmbeddedStore) -> FlaskClient:
    """A client of the application over the built store, without workers."""
    app = create_app(store, version="1")
    app.testing = True
    return app.test_client()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of the papers; tests that need them are skipped, with this reason, where it is not set."""
    said = os.environ.get("SEKININ_CORPUS")
    if not said:
        pytest.skip("SEKININ_CORPUS is not set: the papers belong to their publishers and are not part of the project")
    return Path(said)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the house that a test may damage, with a build folder of its own."""
    import shutil

    place = tmp_path / "house"
    for name in resources.TEXTS:
        shutil.copytree(HOUSE / name, place / name)
    monkeypatch.setenv("SEKININ_HOME", str(place))
    monkeypatch.setenv("SEKININ_BUILD", str(tmp_path / "build"))
    from sekinin import namespaces, queries

    namespaces.ontology_terms.cache_clear()
    queries.catalogue.cache_clear()
    yield place
    namespaces.ontology_terms.cache_clear()
    queries.catalogue.cache_clear()


@pytest.fixture(scope="session")
def clients() -> Path:
    """The folder of the packages that the lock file in ``tests/clients`` names, installed once under the build folder."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    source = HOUSE / "tests" / "clients"
    mark = hashlib.sha256(b"".join((source / name).read_bytes() for name in ("package.json", "package-lock.json"))).hexdigest()[:12]
    cache = resources.build_folder() / "clients"
    cache.mkdir(exist_ok=True)
    with (cache / "lock").open("w") as lock:  # of several test processes, one installs
        fcntl.flock(lock, fcntl.LOCK_EX)
        place = cache / mark
        if not place.is_dir():
            half = cache / f"{mark}.half"
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(source / name, half)
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=half, check=True, capture_output=True, timeout=500)
            half.rename(place)
    return place
