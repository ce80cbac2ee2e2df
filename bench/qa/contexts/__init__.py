"""What a model is given to answer from: the systems that are compared, each of which makes a text for a question.

`plain` has the two that need no service: the whole conversation, and the messages nearest to the question. `service` has those
of StructMem.
"""

from bench.qa.contexts.plain import FullContext, NaiveRag
from bench.qa.contexts.port import Context, ContextSource, Prepared
from bench.qa.contexts.service import SERVICE_SYSTEMS, ContextSize, ServiceContexts

__all__ = ["SERVICE_SYSTEMS", "Context", "ContextSize", "ContextSource", "FullContext", "NaiveRag", "Prepared", "ServiceContexts"]
