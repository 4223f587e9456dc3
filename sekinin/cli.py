"""The command line: one verb a step, the same options in the same places.

Exit codes: 0 all is well; 1 something was found that must be mended; 2 the command was
misused; 3 a text is wrong; 4 something is missing; 5 a query is wrong; 6 the graph
contradicts itself; 7 the store failed; 8 refused.
"""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from sekinin import build as builder
from sekinin import describe, queries, resources, steps
from sekinin import export as exporter
from sekinin.account import Account
from sekinin.errors import BadData, BadQuery, Missing, Refused, SekininError, StoreFailure
from sekinin.formats import GRAPHS
from sekinin.model import Finding
from sekinin.namespaces import shrink
from sekinin.store import RemoteStore, Result, Store, Triples

HALF = "the store does not say which version it holds, so that it may be filled by half"


class _Errors(click.Group):
    """A group whose commands tell an error of ours in one line and by its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SekininError as why:
            click.echo(f"sekinin: {why}", err=True)
            ctx.exit(why.exit_code)
        except (click.exceptions.Exit, click.Abort):  # click's own, which are RuntimeErrors
            raise
        except BrokenPipeError:  # the reader of our output has gone, as with `| head`
            sys.stderr.close()
            ctx.exit(0)
        except (OSError, RuntimeError) as why:
            full = getattr(why, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            remedy = "make room, and run the command again" if full else "check the place, or run: sekinin build --again"
            click.echo(f"sekinin: {getattr(why, 'filename', None) or 'store'}: {why}; {remedy}", err=True)
            ctx.exit(7)


def _example(*lines: str) -> str:
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def _progress(quiet: bool) -> Callable[[str], None]:
    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    return say


language = click.option(
    "--lang", type=click.Choice(["ja", "en"]), envvar="SEKININ_LANG", default="en", show_default=True, help="Language of messages."
)
spread = click.option(
    "--scheduler", metavar="URL", envvar="SEKININ_SCHEDULER", help="Have papers read by this Dask cluster, as tcp://host:8786; default: this machine."
)
quietly = click.option("--quiet", is_flag=True, help="Show no progress.")
remote = click.option("--store", "endpoint", metavar="URL", envvar="SEKININ_STORE", help="Ask this SPARQL server instead of the built store.")
account = click.option(
    "--account", envvar="SEKININ_ACCOUNT", metavar="NAME:PASSWORD", default="", help="Account on that server; better in SEKININ_ACCOUNT."
)


@click.group(cls=_Errors, epilog=_example("sekinin build", "sekinin serve"))
@click.version_option(package_name="sekinin")
def main() -> None:
    """Who is responsible for what in the cloud: build, check, ask and serve the graph."""


@main.command(epilog=_example("sekinin build", "sekinin build --check"))
@click.option("--again", is_flag=True, help="Do every step, also where nothing changed.")
@spread
@click.option("--check", "dry", is_flag=True, help="Do everything but load, and demand house Turtle: for CI.")
@language
@quietly
def build(again: bool, scheduler: str | None, dry: bool, lang: str, quiet: bool) -> None:
    """Make the store: read, infer, check, derive, load. Only what changed is done again."""
    unformed = _not_in_house_form() if dry else []
    crew = None
    if scheduler:
        from sekinin.spread import cluster

        crew = cluster(scheduler)
    built = builder.build(_progress(quiet), again, dry, crew)
    _tell(built.findings, lang, err=True)
    for path in unformed:
        click.echo(f"{path}: not in house form; run: sekinin fmt {path}", err=True)
    figures = ", ".join(f"{kind} {count:,}" for kind, count in built.triples.items())
    if built.store:
        done = "built" if built.steps else "nothing changed"
        click.echo(f"{done}: version {built.version[:12]}, triples: {figures}")
    elif not built.violations:
        click.echo(f"checked: triples: {figures}")
    if built.violations or unformed:
        raise click.exceptions.Exit(1)


@main.command(epilog=_example("sekinin infer"))
@click.option("--again", is_flag=True, help="Compute, also where nothing changed.")
@quietly
def infer(again: bool, quiet: bool) -> None:
    """Compute what follows from the ontology (OWL 2 RL), new triples only."""
    start = time.monotonic()
    say = _progress(quiet)
    say("infer …")
    reading = steps.infer(steps.read(steps.sources()), again, progress=say)
    say(f"infer: {time.monotonic() - start:.1f} s" if reading.done else "infer: unchanged")
    path = exporter.write_whole(resources.build_folder() / "steps" / "inferred.nt", reading.inferred)
    click.echo(f"{reading.triples['inferred']:,} new triples in {path}")


@main.command(epilog=_example("sekinin check --lang ja"))
@click.option("--again", is_flag=True, help="Check, also where nothing changed.")
@language
@quietly
def check(again: bool, lang: str, quiet: bool) -> None:
    """Hold the graph against its shapes and its checks; exit 1 if there is a Violation."""
    say = _progress(quiet)
    say("read and infer …")
    reading = steps.infer(steps.read(steps.sources()), progress=say)
    say("check …")
    findings, _ = steps.check(reading, again)
    _tell(findings, lang)
    counts = {s: sum(1 for f in findings if f.severity == s) for s in ("Violation", "Warning", "Info")}
    click.echo(", ".join(f"{name} {count}" for name, count in counts.items()))
    if counts["Violation"]:
        raise click.exceptions.Exit(1)


@main.command(
    epilog=_example(
        "sekinin query duties/duties -p layer=sk:CustomerLayer",
        "sekinin query --text 'DESCRIBE id:service-talkz'",
    )
)
@click.argument("question", required=False)
@click.option("--param", "-p", "params", multiple=True, metavar="NAME=TERM", help="Bind a parameter; may be repeated.")
@click.option("--text", help="Ask this SPARQL text instead of a saved question.")
@click.option("--list", "listing", is_flag=True, help="List the saved questions.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "tsv", "json", "xml", "turtle"]), default="table", show_default=True)
@remote
@account
@language
def query(
    question: str | None, params: tuple[str, ...], text: str | None, listing: bool, form: str, endpoint: str | None, account: str, lang: str
) -> None:
    """Ask a saved question, or any SPARQL query."""
    if listing:
        for name, known in queries.catalogue().items():
            click.echo(f"{name}\t{known.summary(lang)}")
        return
    if (question is None) == (text is None):
        raise click.UsageError("name a saved question, or give --text")
    given = {}
    for word in params:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"--param {word}: write NAME=TERM")
        if name in given:
            raise click.UsageError(f"--param {name}: given twice")
        given[name] = value
    store: Store = RemoteStore(endpoint, account=Account(account)) if endpoint else builder.open_current()
    result = queries.bind(queries.get(question), given).ask(store) if question else store.query(text or "")
    _print(result, form)
    if endpoint and question and describe.held(store) is None:
        click.echo(f"sekinin: {endpoint}: {HALF}, and this may not be the whole answer", err=True)


def _print(result: Result, form: str) -> None:
    import pyoxigraph as ox

    if sys.stdout is None:
        raise Refused("standard output", "it is closed", "give the answer somewhere to go")
    out = sys.stdout.buffer
    if isinstance(result, Triples) != (form == "turtle") and form != "table":
        raise BadQuery("--format", f"{form} does not fit this kind of query", "rows: csv, tsv, json, xml; triples: turtle")
    if isinstance(result, Triples):
        from sekinin.namespaces import PREFIXES

        ox.serialize(result, out, ox.RdfFormat.TURTLE, prefixes=PREFIXES)
    elif form != "table":
        result.serialize(out, getattr(ox.QueryResultsFormat, form.upper()))
    elif isinstance(result, ox.QueryBoolean):
        click.echo("true" if result else "false")
    else:
        names = [v.value for v in result.variables]
        table = [names] + [[_cell(row[name]) for name in names] for row in result]
        widths = [max(_width(line[i]) for line in table) for i in range(len(names))]
        for line in table:
            click.echo("  ".join(c + " " * (w - _width(c)) for c, w in zip(line, widths, strict=True)).rstrip())


def _cell(term: Any) -> str:
    import pyoxigraph as ox

    if term is None:
        return ""
    return shrink(term.value) if isinstance(term, ox.NamedNode) else str(term.value)


def _width(text: str) -> int:
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@main.command(epilog=_example("sekinin export --format turtle --provider spcc --out talkz.ttl"))
@click.option("--format", "form", type=click.Choice([*GRAPHS, "sssom"]), default="turtle", show_default=True)
@click.option("--provider", metavar="NAME", help="Only the papers of this provider (a folder of graphs/).")
@click.option("--asserted", is_flag=True, help="Leave out what was inferred and derived.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write (a folder for sssom); default: the export folder of the build.")
@quietly
def export(form: str, provider: str | None, asserted: bool, out: Path | None, quiet: bool) -> None:
    """Write the built graph as files: Turtle, TriG, N-Quads, N-Triples, JSON-LD, RDF/XML, SSSOM."""
    store = builder.open_current()
    folder = resources.build_folder() / "export"
    if form == "sssom":
        for name, table in exporter.sssom(store).items():
            click.echo(exporter.write_whole((out or folder) / name, table))
        return
    _progress(quiet)(f"export {form} …")
    content = exporter.serialise(exporter.chosen(store, provider, asserted), form)
    path = out or folder / f"{provider or 'sekinin'}.{GRAPHS[form].ending}"
    click.echo(exporter.write_whole(path, content))


@main.command(epilog=_example("sekinin publish http://127.0.0.1:3030/ds/data"))
@click.argument("address", metavar="URL")
@account
@click.option("--seconds", default=120.0, show_default=True, type=click.FloatRange(1), help="Longest wait for one graph.")
@quietly
def publish(address: str, account: str, seconds: float, quiet: bool) -> None:
    """Fill another server by its Graph Store Protocol at URL, graph by graph; a second run goes on where the first stopped."""
    from sekinin.publish import Target
    from sekinin.publish import publish as fill

    if not address.startswith(("http://", "https://")):
        raise Refused(address, "this is no address of a server", "write it whole, as http://host:port/path")
    done = fill(builder.open_current(), Target(address, Account(account), seconds), _progress(quiet))
    click.echo(f"{done.sent} graphs written, {done.kept} as they were, {done.triples:,} triples verified")


@main.command(epilog=_example("sekinin verify --corpus ~/papers"))
@click.option("--corpus", type=click.Path(path_type=Path), envvar="SEKININ_CORPUS", required=True, help="Folder that holds the papers' texts.")
@click.option("--allow-missing", is_flag=True, help="Exit 0 although a paper is not there; its citations stay unproved.")
@quietly
def verify(corpus: Path, allow_missing: bool, quiet: bool) -> None:
    """Prove the citations: find each paper by its SHA-256 and check the digest of every span."""
    from sekinin.verify import verify as prove

    _progress(quiet)("verify …")
    failed = False
    for verdict in prove(steps.texts_store(), corpus):
        if verdict.paper is None:
            click.echo(f"{verdict.label}: the paper is not in {corpus}; nothing is proved")
            failed = failed or not allow_missing
        else:
            click.echo(f"{verdict.label}: {verdict.held} citations hold, {len(verdict.broken)} do not ({verdict.paper})")
        for where, why in verdict.broken:
            click.echo(f"  {shrink(where)}: {why}")
            failed = True
    if failed:
        raise click.exceptions.Exit(1)


@main.command("read", epilog=_example("sekinin read papers/acme.pdf", "sekinin read papers/ --out drafts --format json"))
@click.argument("papers", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the drafts and texts; default: the folder of drafts of the build.")
@click.option("--format", "form", type=click.Choice(["turtle", "json"]), default="turtle", show_default=True)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Papers read at once.")
@click.option("--again", is_flag=True, help="Read, also where the draft is there already.")
@spread
@quietly
def read_papers(papers: tuple[Path, ...], out: Path | None, form: str, workers: int, again: bool, scheduler: str | None, quiet: bool) -> None:
    """Read papers or folders of papers into drafts that nobody has reviewed. Exit 1 if one could not be read."""
    from sekinin.reading import many
    from sekinin.spread import hands

    say = _progress(quiet)
    outcomes = many.read_all(
        list(many.papers_in(papers)), out or resources.drafts_folder(), form, workers, again,
        lambda done, of, last: say(f"{done}/{of} {last.paper}: {last.state}"), hands(scheduler) if scheduler else None,
    )  # fmt: skip
    for one in outcomes:
        if one.state == "failed":
            click.echo(f"sekinin: {one.why}", err=True)
        else:
            click.echo(f"{one.draft}: {one.items} items, {one.statements} statements")
        for warning in one.warnings:
            click.echo(f"{one.paper}: {warning}", err=True)
    if any(one.state == "failed" for one in outcomes):
        raise click.exceptions.Exit(1 if len(outcomes) > 1 else 3)


@main.command(epilog=_example("sekinin score drafts/acme.ttl gold/acme.json"))
@click.argument("draft", type=click.Path(path_type=Path))
@click.argument("gold", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def score(draft: Path, gold: Path, form: str) -> None:
    """Hold a draft against what a person found: precision, recall and F1, overall and for each kind."""
    import json
    from dataclasses import asdict

    from sekinin.reading import score as scoring

    tallies = scoring.compare(scoring.load(draft), scoring.load(gold))
    if form == "json":
        said = [asdict(t) | {"precision": t.precision, "recall": t.recall, "f1": t.f1} for t in tallies]
        click.echo(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(scoring.as_table(tallies)))


@main.group(epilog=_example("sekinin review list drafts/acme.ttl", "sekinin review accept drafts/acme.ttl --least 0.8 --reviewer 'A. Reader'"))
def review() -> None:
    """See each statement of a draft beside its passage, and accept, edit or reject it."""


@review.command("list", epilog=_example("sekinin review list drafts/acme.ttl --state Unreviewed"))
@click.argument("draft", type=click.Path(path_type=Path))
@click.option("--state", type=click.Choice(["Unreviewed", "Accepted", "Edited", "Rejected", "Changed"]), help="Only these.")
@language
def list_statements(draft: Path, state: str | None, lang: str) -> None:
    """List the statements of a draft, each with its state, confidence, rule and passage."""
    from sekinin.reading.review import entries

    for one in entries(draft, lang):
        if state in (None, one.state):
            click.echo(f"{one.state:11}{one.confidence:5.2f}  {shrink(one.iri)}\n    {one.section}  {one.cls}: {one.label} [{one.rule}]")
            click.echo(f"    | {one.passage or 'the text is not beside the draft, or not as it was read'}")


def _decision(name: str, what: str, *examples: str) -> None:
    """Add one of the three decisions to ``review``; they differ in their words only."""

    @review.command(name, help=what, epilog=_example(*examples))
    @click.argument("draft", type=click.Path(path_type=Path))
    @click.argument("statements", nargs=-1)
    @click.option("--reviewer", required=True, envvar="SEKININ_REVIEWER", help="Who decides.")
    @click.option("--least", type=click.FloatRange(0, 1), help="Also every undecided statement of at least this confidence.")
    @click.option("--set", "changes", multiple=True, metavar="sk:PROPERTY=VALUE", help="A change, for edit; may be repeated.")
    def command(draft: Path, statements: tuple[str, ...], reviewer: str, least: float | None, changes: tuple[str, ...]) -> None:
        from sekinin.reading.review import decide

        if (name == "edit") != bool(changes):
            raise click.UsageError("--set belongs to edit, and edit needs one")
        for one in decide(draft, name, statements, reviewer, least, changes):
            click.echo(one)


_decision("accept", "Accept statements as they are.", "sekinin review accept drafts/acme.ttl id:cm-acme-log-retention-12.4.1 --reviewer 'A. Reader'")
_decision(
    "edit", "Change a statement, and accept it so.", "sekinin review edit drafts/acme.ttl id:cm-acme-x --set sk:amount=14 --reviewer 'A. Reader'"
)
_decision("reject", "Turn statements down.", "sekinin review reject drafts/acme.ttl id:ob-acme-12.4.1-csp --reviewer 'A. Reader'")


@review.command("publish", epilog=_example("sekinin review publish drafts/acme.ttl --out graphs/acme/paper-1.0.ttl"))
@click.argument("draft", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write, in graphs/ for the next build.")
def publish_reviewed(draft: Path, out: Path) -> None:
    """Write what was accepted as house Turtle; refused where a statement changed after its review."""
    from sekinin.reading.review import published

    click.echo(exporter.write_whole(out, published(draft).encode("utf-8")))


@review.command("diff", epilog=_example("sekinin review diff drafts/acme-1.0.ttl drafts/acme-2.0.ttl"))
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
def diff(before: Path, after: Path) -> None:
    """Tell what a new version says otherwise: added, gone, stronger, weaker, reworded; and propose it as successor."""
    from sekinin.reading.difference import difference, successor

    for one in difference(before, after):
        click.echo(f"{one.how:9} {one.what}: {' -> '.join(filter(None, (one.before, one.after)))}".rstrip(": "))
    if said := successor(before, after):
        click.echo(said)


@main.command(epilog=_example("sekinin conformance --suites ~/rdf-tests/sparql/sparql11"))
@click.option("--suites", type=click.Path(path_type=Path), envvar="SEKININ_SUITES", required=True, help="Folder with the W3C's SPARQL 1.1 tests.")
@language
@quietly
def conformance(suites: Path, lang: str, quiet: bool) -> None:
    """Put the W3C's tests to this build; the page /conformance shows how they ended, in EARL too. Exit 1 if one failed."""
    from collections import Counter

    from sekinin import earl, manifests
    from sekinin.conformance import run as put
    from webapp.conformance import application, program

    version = builder.manifest().get("version")
    if not version:
        raise Missing(str(builder.current()), "there is no built store", "run: sekinin build")
    _progress(quiet)("conformance …")
    outcomes = put(manifests.read(suites), application)
    for suite in dict.fromkeys(outcome.suite for outcome in outcomes):
        counts = Counter(outcome.result for outcome in outcomes if outcome.suite == suite)
        click.echo(f"{suite}: " + ", ".join(f"{number} {result}" for result, number in counts.items()))
    for outcome in outcomes:
        if outcome.result == "failed":
            click.echo(f"failed: {outcome.slug}: {outcome.label}: {outcome.note(lang)}")
    click.echo(" ".join(str(path) for path in earl.save(outcomes, version, program())))
    if any(outcome.result == "failed" for outcome in outcomes):
        raise click.exceptions.Exit(1)


@main.command(epilog=_example("sekinin cite ~/papers/talkz.txt '7 営業日前'"))
@click.argument("paper", type=click.Path(path_type=Path))
@click.argument("passage")
def cite(paper: Path, passage: str) -> None:
    """Print the citation of PASSAGE in PAPER, ready to paste into the paper's Turtle."""
    from sekinin.citation import citations

    for text in citations(steps.texts_store(), paper, passage):
        click.echo(text)


@main.group(epilog=_example("sekinin sources list", "sekinin sources add ~/papers/talkz.txt"))
def sources() -> None:
    """Your own copies of the papers, so that passages can be shown; nothing of them enters the graph."""


@sources.command("add", epilog=_example("sekinin sources add ~/papers/talkz.txt"))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def add_source(files: tuple[Path, ...]) -> None:
    """Put your copy of a paper in place, as text or PDF, after checking its digest."""
    from sekinin import papers

    for path in files:
        rendition, place = papers.add(steps.texts_store(), path)
        click.echo(f"{rendition.label}: {place}")


@sources.command("list", epilog=_example("sekinin sources list"))
def list_sources() -> None:
    """List the papers that the graph cites, with their digests, and which of them are here."""
    from sekinin import papers

    for rendition in papers.renditions(steps.texts_store()).values():
        here = "here" if papers.text_of(rendition.sha256) is not None else "missing"
        click.echo(f"{here:8}{rendition.sha256}  {rendition.label} ({rendition.length:,} characters)")


@sources.command("remove", epilog=_example("sekinin sources remove 4f0c…"))
@click.argument("sha256")
def remove_source(sha256: str) -> None:
    """Take your copy of a paper away again; SHA256 as `sources list` shows it, or its beginning."""
    from sekinin import papers

    said = sha256.lower().rstrip("…")
    known = [digest for digest in papers.renditions(steps.texts_store()) if digest.startswith(said)]
    if not said or len(known) != 1:
        raise Missing(sha256[:64], "this is the digest of no paper, or of several", "see: sekinin sources list")
    click.echo("removed" if papers.remove(known[0]) else "it was not here")


@main.command(epilog=_example("sekinin fmt", "sekinin fmt graphs/spcc/talkz-1.0.ttl"))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", "dry", is_flag=True, help="Write nothing; exit 1 if a file is not in house form.")
def fmt(files: tuple[Path, ...], dry: bool) -> None:
    """Put Turtle into house form: sorted, one object a line."""
    from sekinin import turtle

    unformed = _not_in_house_form(files)
    for path in unformed:
        if not dry:
            exporter.write_whole(path, turtle.again(path).encode("utf-8"))
        click.echo(f"{path}: {'not in house form' if dry else 'written'}")
    if dry and unformed:
        raise click.exceptions.Exit(1)


def _not_in_house_form(files: tuple[Path, ...] = ()) -> list[Path]:
    from sekinin import texts, turtle

    paths = list(files) or [path for kind in texts.KINDS for path in resources.texts(kind)]
    return [path for path in paths if turtle.again(path) != path.read_text(encoding="utf-8")]


@main.command(epilog=_example("sekinin serve", "sekinin serve --port 8080"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8027, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--build/--no-build", "first", default=True, help="Build first, if anything changed.")
@click.option("--log", type=click.Choice(["json", "plain", "off"]), help="A line for each request on standard error; SEKININ_SERVE_LOG, else plain.")
@remote
@account
@quietly
def serve(host: str, port: int, first: bool, log: str | None, endpoint: str | None, account: str, quiet: bool) -> None:
    """Serve the pages and the SPARQL endpoint."""
    import socket
    from dataclasses import replace

    from sekinin.settings import from_environment
    from webapp.serving import PREFIX, Settings

    settings = from_environment(Settings, PREFIX)
    settings = replace(settings, log=log) if log else settings
    say = _progress(quiet)
    if first and not endpoint and builder.build(say).violations:
        raise BadData("graphs/", "the graph has violations, so it is not served", "see them with: sekinin check")
    user = Account(account)
    elsewhere = RemoteStore(endpoint, account=user) if endpoint else None
    whole = describe.held(elsewhere) if elsewhere else None
    if elsewhere and whole is None:
        raise StoreFailure(elsewhere.where, HALF, "run: sekinin publish")
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as why:
        known = (why.errno or 0) < 0  # the name of the host, not the port
        remedy = "choose another address with --host, as 127.0.0.1" if known else "choose another with --port, or 0 for a free one"
        raise Refused(f"{host}:{port}", f"cannot listen there ({why.strerror or why})", remedy) from why
    from sekinin.workers import Gate, Limits, Pool
    from webapp import create_app
    from webapp.serving import run
    from webapp.warm import warm

    limits = Limits.from_environment()
    pool: Pool | Gate
    if elsewhere and whole:
        pool = Gate(RemoteStore(elsewhere.where, limits.seconds, limits.bytes, user), limits)
        app = create_app(elsewhere, pool, *whole, settings)
    else:
        pool = Pool(builder.current(), limits)
        said = builder.manifest()
        app = create_app(builder.open_current(), pool, said["version"], datetime.fromisoformat(said["issued"]), settings)
    click.echo(f"http://{host}:{listener.getsockname()[1]}/")
    try:
        warm(app)
        run(app, listener, settings)
    finally:
        pool.close()


def _tell(findings: tuple[Finding, ...] | list[Finding], lang: str, err: bool = False) -> None:
    for finding in findings:
        value = f" ({shrink(finding.value) if finding.value.startswith('http') else finding.value})" if finding.value else ""
        place = f"{finding.file}: " if finding.file else ""
        click.echo(f"{finding.severity}: {place}{shrink(finding.where)}: {finding.text(lang)}{value} [{finding.rule}]", err=err)
