"""What retrieval keeps of namespaces from query to query."""

from dataclasses import dataclass, field

from graph.retrieval.changes.index import ChangeIndexes
from graph.retrieval.summaries.index import SummaryIndexes


@dataclass(frozen=True, slots=True)
class NamespaceIndexes:
    """Derived from the store, each current whenever it is asked: what replaced what, and the summaries."""

    changes: ChangeIndexes = field(default_factory=ChangeIndexes)
    summaries: SummaryIndexes = field(default_factory=SummaryIndexes)
