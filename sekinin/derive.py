"""What can be counted but not entailed: shared areas, silences, thresholds.

Each ``queries/derived/<name>.rq`` is a CONSTRUCT whose triples become the graph
``graph/derived/<name>``; OWL 2 RL cannot say these things, and nothing reasons over them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from sekinin import queries
from sekinin.errors import BadQuery
from sekinin.namespaces import graph_iri
from sekinin.store import EmbeddedStore, Triples


def derive(store: EmbeddedStore) -> Iterator[ox.Quad]:
    """Yield the derived triples of every rule, each in the graph of its rule.

    Raises:
        BadQuery: if a rule is not a CONSTRUCT, or gives a blank node, which has another name in each store.
    """
    for name, question in queries.catalogue().items():
        if not name.startswith("derived/"):
            continue
        result = queries.bind(question, {}).ask(store)
        if not isinstance(result, Triples):
            raise BadQuery(str(question.path), "a rule must return triples", "write it as CONSTRUCT")
        graph = ox.NamedNode(graph_iri(name))
        for said in result:
            if isinstance(said.subject, ox.BlankNode) or isinstance(said.object, ox.BlankNode):
                raise BadQuery(str(question.path), "a rule must name what it speaks of", "leave out blank nodes, with isIRI")
            yield ox.Quad(said.subject, said.predicate, said.object, graph)
