"""The documents say what the house does: reference pages, README, licences, no host of a registry."""

from __future__ import annotations

import re
import runpy
import subprocess
import unicodedata
from pathlib import Path

from conftest import HOUSE

TITLES = (
    "クラウドサービス利用のための情報セキュリティマネジメントガイドライン 2013年版",
    "クラウドコンピューティング環境における役割及び責任の共有及び分担",
    "クラウドコンピューティング環境における役割および責任の共有および分担",
    "仮想及び物理ネットワークのセキュリティ管理の整合",
)
"""Titles of standards and of their controls, which anybody may name."""
TEXTS = (".md", ".py", ".ttl", ".rq", ".toml", ".txt", ".html", ".css", ".csv", ".json", ".trig", ".nt")


def tracked() -> list[str]:
    run = subprocess.run(
        ["git", "-C", str(HOUSE), "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=False
    )
    return [name for name in run.stdout.splitlines() if (HOUSE / name).is_file()]


def test_the_reference_is_up_to_date() -> None:
    """Questions, terms and command line are generated; run: python docs/reference.py."""
    assert [page.name for page in runpy.run_path(str(HOUSE / "docs" / "reference.py"))["stale"]()] == []


def test_the_readme_names_what_exists() -> None:
    """Every file and folder that the README links to is there, and its commands are those of the program."""
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (HOUSE / target).exists(), target
    from sekinin.cli import main

    for command in re.findall(r"sekinin ([a-z]+)", text):
        assert command in main.commands, command


def test_no_registry_and_no_machine_path() -> None:
    """Files name no host of a package registry and no path of anybody's machine."""
    hosts = re.compile(r"pypi\.org|pythonhosted|npmjs|maven\.org|deb\.debian|crates\.io", re.I)
    paths = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/")
    for name in tracked():
        if name.endswith(TEXTS) and name != "tests/test_docs.py":
            text = (HOUSE / name).read_text(encoding="utf-8")
            assert not hosts.search(text), name
            assert not paths.search(text), name


def fold(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def test_no_sentence_of_a_paper_stands_here(corpus: Path) -> None:
    """Facts, figures, names and titles carry over; a run of 24 characters of a paper does not, unless it is a known title."""
    run = 24
    titles = fold("".join(f"{title}\0" for title in TITLES))
    seen = {
        text[i : i + run] for path in corpus.glob("*.txt") for text in [fold(path.read_text(encoding="utf-8"))] for i in range(len(text) - run + 1)
    }
    assert seen
    for name in tracked():
        if not name.endswith(TEXTS) or name == "tests/test_docs.py":
            continue
        text = fold((HOUSE / name).read_text(encoding="utf-8"))
        for i in range(len(text) - run + 1):
            part = text[i : i + run]
            if part in seen and part not in titles:
                assert sum("\u3040" <= c <= "\u9fff" for c in part) < 12, f"{name}: {part}"


def test_every_decision_says_why() -> None:
    """One short file a decision: what, why, what else was thought of."""
    files = sorted((HOUSE / "docs" / "decisions").glob("*.md"))
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert re.match(r"# \d{4} ", text), path.name
        assert path.name.startswith(text[2:6])
        assert "## Why" in text and len(text.splitlines()) < 60, path.name


def test_the_changelog_is_by_what_a_reader_depends_on() -> None:
    text = (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8")
    for part in ("Ontology", "Shapes", "Graphs", "Queries", "Library", "Web"):
        assert f"### {part}" in text
