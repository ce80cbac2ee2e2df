"""Deletes what namespaces keep no longer, in the background."""

import asyncio
import logging
from datetime import timedelta

from graph.errors import NotFound, StructMemError
from graph.model import LabelCondition, LabelFilter, Namespace, RetentionRule
from graph.store.port import Clock, Deletion, MessageQuery, Store

_log = logging.getLogger(__name__)

DELETED_BY = "retention"
_NAMESPACES_AT_ONCE = 500


class RetentionSweeper:
    """Looks at every namespace with rules, again and again, and deletes the messages that are past their time."""

    def __init__(self, store: Store, clock: Clock, every: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._every = every

    async def run(self) -> None:
        """Sweeps until cancelled. What fails is logged, and tried again the next time."""
        while True:
            try:
                await self.sweep()
            except StructMemError as error:
                _log.warning("retention could not be looked after (%s)", type(error).__name__)
            await asyncio.sleep(self._every.total_seconds())

    async def sweep(self) -> None:
        """Looks at every namespace once."""
        after = ""
        while True:
            page = await self._store.list_namespaces("", after, _NAMESPACES_AT_ONCE)
            for namespace in page:
                await self._sweep(namespace)
            if len(page) < _NAMESPACES_AT_ONCE:
                return
            after = page[-1].name

    async def _sweep(self, namespace: Namespace) -> None:
        memory = self._store.namespace(namespace.name)
        for rule in namespace.retention:
            query = self._past(rule)
            try:
                if (await memory.list_messages(query, None, 1)).items:
                    receipt = await memory.delete(Deletion(messages=query, deleted_by=DELETED_BY))
                    counts = {kind.name.lower(): count for kind, count in receipt.counts.items()}
                    _log.info("messages past their time were deleted", extra={"namespace": namespace.name, "deleted": counts})
            except NotFound:
                return  # deleted meanwhile
            except StructMemError as error:
                _log.warning(
                    "messages past their time could not be deleted (%s)", type(error).__name__, extra={"namespace": namespace.name}
                )

    def _past(self, rule: RetentionRule) -> MessageQuery:
        """The messages that the rule keeps no longer."""
        values = (rule.label_value,) if rule.label_value else ()
        labels = LabelFilter(all_of=(LabelCondition(rule.label, values),)) if rule.label else LabelFilter()
        before = self._clock.now() - timedelta(seconds=rule.keep_seconds)
        return MessageQuery(sessions=(rule.session,) if rule.session else (), labels=labels, recorded_before=before)
