"""A person decides about a draft: passages, decisions on record, what changed later, what is published, what a new version says."""

from __future__ import annotations

from pathlib import Path

import fiction
import pytest
from click.testing import CliRunner
from rdflib import RDF, Graph, Literal, URIRef

from sekinin import turtle
from sekinin.cli import main
from sekinin.errors import BadData, Missing
from sekinin.namespaces import PREFIXES, SK
from sekinin.reading import difference, draft, paper, review

LOG = "id:cm-hoshizora-log-retention-12.4.1"


@pytest.fixture
def drafted(tmp_path: Path) -> Path:
    place, _ = draft.write(paper.read(fiction.PAPERS / "kept" / "hoshizora.txt"), tmp_path)
    return place


def states(path: Path) -> dict[str, str]:
    return {one.iri.removeprefix(PREFIXES["id"]): one.state for one in review.entries(path)}


def test_each_statement_stands_beside_its_passage(drafted: Path) -> None:
    one = next(one for one in review.entries(drafted, "ja") if one.iri.endswith("log-retention-12.4.1"))
    assert (one.state, one.rule, one.section) == ("Unreviewed", "log-backup", "A.12.4.1")
    assert "ログ" in one.passage and "年" in one.label
    drafted.with_suffix(".txt").write_text("changed", encoding="utf-8")
    assert not any(one.passage for one in review.entries(drafted)), "a text of another digest is not shown"


def test_a_decision_goes_on_record(drafted: Path) -> None:
    """With its reviewer and the digest of what was accepted; the draft stays in house form."""
    assert review.decide(drafted, "accept", [LOG], "A. Reader") == [LOG]
    graph = Graph().parse(drafted)
    event = next(iter(graph.subjects(RDF.type, SK.ReviewEvent)))
    statement = URIRef(PREFIXES["id"] + LOG.removeprefix("id:"))
    assert graph.value(event, SK.outcome) == SK.Accepted
    assert str(graph.value(event, SK.reviewedContentHash)) == review.content_hash(graph, statement)
    assert turtle.again(drafted) == drafted.read_text(encoding="utf-8")
    assert states(drafted)[LOG.removeprefix("id:")] == "Accepted"


def test_what_changes_later_needs_review_again(drafted: Path) -> None:
    review.decide(drafted, "accept", [LOG], "A. Reader")
    graph = turtle.read(drafted)
    statement = URIRef(PREFIXES["id"] + LOG.removeprefix("id:"))
    graph.set((statement, SK.amount, Literal(9)))
    drafted.write_text(turtle.write(graph), encoding="utf-8")
    assert states(drafted)[LOG.removeprefix("id:")] == "Changed"
    with pytest.raises(BadData, match="changed after their review"):
        review.published(drafted)
    review.decide(drafted, "accept", [LOG], "B. Reader")
    assert states(drafted)[LOG.removeprefix("id:")] == "Accepted"


def test_an_edit_keeps_the_seconds_right(drafted: Path) -> None:
    review.decide(drafted, "edit", [LOG], "A. Reader", changes=["sk:amount=2", "sk:unit=sk:Week"])
    graph = Graph().parse(drafted)
    statement = URIRef(PREFIXES["id"] + LOG.removeprefix("id:"))
    assert str(graph.value(statement, SK.seconds)) == "1209600"
    assert states(drafted)[LOG.removeprefix("id:")] == "Edited"


def test_only_what_was_accepted_is_published(drafted: Path) -> None:
    """What was rejected, or nobody has seen, stays out, with the citations that only it needs."""
    every = [one for one in states(drafted) if one.startswith("cm-")]
    review.decide(drafted, "accept", every, "A. Reader")
    review.decide(drafted, "reject", [LOG], "A. Reader")
    out = Graph().parse(data=review.published(drafted), format="turtle")
    statements = {str(s).removeprefix(PREFIXES["id"]) for s in out.subjects(SK.statedIn, None)}
    assert statements == set(every) - {LOG.removeprefix("id:")}
    cited = set(out.objects(None, SK.citedAt))
    assert set(out.subjects(RDF.type, URIRef(PREFIXES["oa"] + "SpecificResource"))) == cited


@pytest.mark.whole
def test_the_build_takes_what_was_accepted(drafted: Path, house: Path) -> None:
    """A paper accepted whole has no violation beside the five papers."""
    from sekinin import build as builder

    review.decide(drafted, "accept", (), "A. Reader", 0.0)
    place = house / "graphs" / "hoshizora" / "paper-2.1.ttl"
    place.parent.mkdir()
    place.write_text(review.published(drafted), encoding="utf-8")
    built = builder.build(dry=True)
    assert [f for f in built.findings if f.severity == "Violation"] == []


def test_a_new_version_says_otherwise(tmp_path: Path) -> None:
    """Added, gone, stronger, weaker, reworded, and the successor is proposed."""
    before = (fiction.PAPERS / "kept" / "hoshizora.txt").read_text(encoding="utf-8")
    after = (
        before.replace("３５日間保持", "２８日間保持")
        .replace("２４時間以内を目標", "１２時間以内を目標")
        .replace("準拠法は日本法とします", "準拠法は日本の法律とします")
    )
    after = after.replace("鍵は年に１回ローテーションします。", "").replace(
        "操作ログは最低１年間保管します。", "操作ログは最低１年間保管します。障害は１時間以内に通知します。"
    )
    paths = []
    for name, text in (("hoshizora-2.1", before), ("hoshizora-2.2", after)):
        source = tmp_path / f"{name}.txt"
        source.write_text(text, encoding="utf-8")
        paths.append(draft.write(paper.read(source), tmp_path / "drafts")[0])
    said = {(one.how, one.what) for one in difference.difference(*paths)}
    assert ("weaker", "12.3.1 backup_retention") in said
    assert ("stronger", "16.1.1 incident_notification") in said
    assert ("gone", "10.1.1 key_rotation") in said
    assert ("added", "12.4.1 fault_notification") in said
    assert ("reworded", "18.1.1 governing_law") in said
    assert not [one for one in difference.difference(paths[0], paths[0])]
    assert "previousVersion" in difference.successor(*paths)


def test_the_commands(drafted: Path, tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["review", *words])
        return result.exit_code, result.output

    name = str(drafted)
    assert "| 操作ログ" in run("list", name)[1]
    assert run("accept", name, LOG, "--reviewer", "A. Reader") == (0, f"{LOG}\n")
    assert run("accept", name, "--least", "0.85", "--reviewer", "A. Reader")[0] == 0
    assert run("edit", name, LOG, "--reviewer", "A. Reader")[0] == 2
    assert run("reject", name, "id:nobody", "--reviewer", "A. Reader")[0] == 4
    assert run("publish", name, "--out", str(tmp_path / "out.ttl"))[0] == 0
    assert run("diff", name, name) == (0, "")
    with pytest.raises(Missing):
        review.decide(drafted, "accept", (), "A. Reader")
