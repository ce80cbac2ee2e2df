"""`LightMemory`: what users of LightMem call, on a StructMem service."""

import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NoReturn, Self
from zoneinfo import ZoneInfo

from structmem._answers import Appended, Flushed
from structmem._client import Client
from structmem._errors import AlreadyExistsError, NamespaceNotFoundError
from structmem._kinds import ExtractionMode, JobState, NodeKind, SummaryLevel
from structmem._nodes import Message, Statement
from structmem._waiting import Deadline
from structmem.lightmem.configuration import LightMemConfigError, LightMemWarning, Note, is_among, read, warn_of
from structmem.lightmem.filters import memory_filter
from structmem.lightmem.messages import read_messages
from structmem.lightmem.options import OPTIONS
from structmem.lightmem.statistics import token_statistics
from structmem.lightmem.summarizing import of_all, of_last
from structmem.lightmem.times import shown

_COLLECTION = "embedding_retriever.configs.collection_name"
_NOT_HERE = {
    **dict.fromkeys(
        ("compressor", "segmenter", "manager", "text_embedder"), "models run in the service; service_settings(config) says how"
    ),
    **dict.fromkeys(
        ("embedding_retriever", "context_retriever", "summary_retriever", "graph"), "memories are the service's; `client` asks it"
    ),
    **dict.fromkeys(("online_update", "offline_update"), "there are no entries to hand over: add_memory stores messages"),
    **dict.fromkeys(("senmem_buffer_manager", "shortmem_buffer_manager"), "messages wait in the service, where they are stored already"),
    "token_stats": "get_token_statistics() has the service's counts",
    "logger": "this adapter writes no log",
}

_COUNTED = {
    "messages": NodeKind.MESSAGE,
    "events": NodeKind.EVENT,
    "facts": NodeKind.FACT,
    "relations": NodeKind.RELATION,
    "summaries": NodeKind.SUMMARY,
}


class Added(dict[str, Any]):
    """What `add_memory` stored: message_ids, sessions, duplicate_count, blank_count, job_ids, extracted, consistency_token."""

    def __missing__(self, key: str) -> NoReturn:
        why = {
            "add_input_prompt": "the service keeps its prompts; its setting llm_record writes them to a file",
            "add_output_prompt": "the service keeps its models' answers; its setting llm_record writes them to a file",
            "api_call_nums": "models are called in the background; get_token_statistics() counts the calls",
        }.get(key, f"is not among {', '.join(self)}")
        raise KeyError(f"{key}: {why}")


class LightMemory:
    """A memory with LightMem's methods, kept in a namespace of a StructMem service. docs/lightmem.md says what becomes of each option.

    Attributes:
        client: the client that it calls; all that LightMem has no word for is there.
        namespace: where its memories are.
        config: the configuration that it was made from.
        notes: what became of each option of that configuration.
    """

    def __init__(self, client: Client, namespace: str, *, time_zone: str = "UTC", recipe: str = "", timeout: float | None = 600.0) -> None:
        self.client = client
        self.namespace = namespace
        self.config: Mapping[str, Any] = {}
        self.notes: tuple[Note, ...] = ()
        self._zone = _zone(time_zone)
        self._recipe = recipe
        self._timeout = timeout
        self._token = ""
        self._owns_client = False

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        *,
        client: Client | None = None,
        namespace: str | None = None,
        time_zone: str = "UTC",
        recipe: str = "",
        timeout: float | None = 600.0,
    ) -> Self:
        """A memory as a configuration of LightMem's asks for it. Its namespace is created where it is not there.

        Args:
            config: LightMem's configuration, a dictionary.
            client: the service; by default the one of STRUCTMEM_TARGET and STRUCTMEM_TOKEN, which `close` then closes.
            namespace: where memories are kept; by default `embedding_retriever.configs.collection_name`.
            time_zone: IANA name of the zone that times without an offset are in.
            recipe: how queries are answered; empty: the service's default.
            timeout: seconds that a call may wait for extraction; None: as long as it takes.

        Raises:
            LightMemConfigError: an option or a value that is not LightMem's, or one that the namespace contradicts.

        One LightMemWarning names what the configuration asks for and the adapter does not do, each with its reason.
        """
        reading = read(config)
        given = reading.values
        name = namespace or given.get(_COLLECTION) or "lightmem"
        own = client is None
        memory = cls(client or Client(), name, time_zone=time_zone, recipe=recipe, timeout=timeout)
        memory.config, memory.notes, memory._owns_client = config, reading.notes, own
        try:
            memory._ensure(_mode(given))
        except BaseException:
            memory.close()
            raise
        warn_of(reading, stacklevel=2)
        return memory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __getattr__(self, name: str) -> NoReturn:
        why = _NOT_HERE.get(name)
        raise AttributeError(f"LightMemory has no {name} here" + (f": {why}" if why else ""), name=name, obj=self)

    def close(self) -> None:
        """Closes the client, if `from_config` made it."""
        if self._owns_client:
            self.client.close()

    # Writing

    def add_memory(
        self,
        messages: Any,
        METADATA_GENERATE_PROMPT: Any = None,  # LightMem's name
        *,
        force_segment: bool = False,
        force_extract: bool = False,
        boundmem_tags: Any = None,
    ) -> Added:
        """Stores messages; when it returns they are durable and found. Facts and events are extracted in the background.

        Messages stay as they are: none is dropped because nothing was extracted from it, unlike in LightMem. The day of a `time_stamp` is
        the session. Empty messages are left out and counted.

        Args:
            messages: a dictionary or a list of them, each with `content` and `time_stamp`, and `role`, `speaker_name`, `speaker_id`,
                `external_id` (stored once, however often it is added); further plain values become labels.
            METADATA_GENERATE_PROMPT: not applicable; a warning says why.
            force_segment: the segment ends here: a flush, without waiting.
            force_extract: a flush, and waits until these messages are extracted.
            boundmem_tags: a tag or several, kept as labels.

        Raises:
            ValueError: a message is not one; nothing is stored.
            JobFailedError: with `force_extract`, the extraction failed. The messages are kept, and `client.retry_job` tries again.
        """
        _tell("add_memory", METADATA_GENERATE_PROMPT=METADATA_GENERATE_PROMPT)
        given = read_messages(messages, boundmem_tags, self._zone)
        written: list[Appended] = []
        for session, part in given.parts:
            try:
                written.append(self.client.append(self.namespace, session, part, time_zone=self._zone.key))
            except Exception as error:
                error.add_note(f"{sum(len(done.messages) for done in written)} of the messages before this part are stored")
                raise
            self._token = written[-1].consistency_token
        flushed = [self.client.flush(self.namespace, done.session) for done in written] if force_segment or force_extract else []
        if force_extract:
            self._wait(*written, *flushed)
        stored = [message for done in written for message in done.messages]
        return Added(
            message_ids=[message.id for message in stored],
            sessions=list(dict.fromkeys(done.session for done in written)),
            duplicate_count=sum(message.duplicate for message in stored),
            blank_count=given.blank_count,
            job_ids=_job_ids(*written, *flushed),
            extracted=force_extract,
            consistency_token=self._token,
        )

    def construct_update_queue_all_entries(
        self, top_k: int | None = None, keep_top_n: int | None = None, max_workers: int | None = None
    ) -> dict[str, int]:
        """Extracts what waits in buffers, waits for all background work, summaries among it, and returns what the memory then holds.

        LightMem writes down here which entries are similar, so that the next call may rewrite or delete them. There is no such queue here:
        what was said stays, with its date, and answers rank what is current; the arguments have no effect, and a warning says so.
        Returns the counts of `messages`, `events`, `facts`, `relations`, `summaries` and `pending_vectors` (still to be embedded).
        """
        _tell("construct_update_queue_all_entries", top_k=top_k, keep_top_n=keep_top_n, max_workers=max_workers)
        return self._settled()

    def offline_update_all_entries(self, score_threshold: float | None = None, max_workers: int | None = None) -> dict[str, int]:
        """The same as `construct_update_queue_all_entries`: nothing is merged or deleted by its similarity; a warning says so.

        It is worth calling all the same after the last `add_memory`: when it returns, what was said is extracted, embedded and summarized.
        """
        _tell("offline_update_all_entries", score_threshold=score_threshold, max_workers=max_workers)
        return self._settled()

    def summarize(
        self,
        SUMMARY_PROMPT: Any = None,  # LightMem's name
        *,
        time_window: float | None = None,
        process_all: bool = False,
        enable_cross_event: bool | None = None,
        retrieval_scope: str | None = None,
        top_k_seeds: int | None = None,
    ) -> dict[str, Any]:
        """Has summaries written of all events that wait for one, waits for them, and returns those that stand, in LightMem's form.

        Each tells of a window of events and names them (`covered_entries`); threads across sessions and a profile of the whole memory are
        written above them (`client.list_summaries`, `client.get_profile`). What comes late or is deleted later makes the service write anew
        what rests on it. There is no pointer that a call moves: what waits is kept in the memory, and the service does not wait for this
        call to summarize it.

        Args:
            SUMMARY_PROMPT: not applicable; a warning says why, as of the following ones where they ask for something else than is done.
            time_window: seconds of events in a summary; the service's `consolidation_window` decides, an hour by default.
            process_all: return every summary of events (`summaries`, `total_summaries`, `total_entries`) and not just the last
                (`summary`, `summary_id`, `covered_entries`, `seed_entries`, `time_range`, `has_more`).
            enable_cross_event: similar earlier events are always read along.
            retrieval_scope: "historical": earlier events alone.
            top_k_seeds: 15.

        Raises:
            InvalidArgumentError: the service writes no summaries (`consolidator = none`).
            JobFailedError: they could not be written.
        """
        _tell(
            "summarize",
            SUMMARY_PROMPT=SUMMARY_PROMPT,
            time_window=time_window,
            enable_cross_event=enable_cross_event,
            retrieval_scope=retrieval_scope,
            top_k_seeds=top_k_seeds,
        )
        deadline = self._extracted()
        self.client.wait_for(self.client.consolidate(self.namespace), timeout=deadline.left())
        windows = self.client.list_summaries(self.namespace, levels=[SummaryLevel.WINDOW])
        standing = [window for window in windows if window.sentences]
        return of_all(standing, self._zone) if process_all else of_last(standing, self._zone)

    # Remembering

    def retrieve(
        self,
        query: str,
        limit: int = 10,
        filters: Mapping[str, Any] | None = None,
        *,
        boundmem_tags: Any = None,
        boundmem_drop_untagged: bool = False,
    ) -> list[str]:
        """The memories that fit a query best, best first, each as "TIME WEEKDAY TEXT": LightMem's form.

        Messages begin with their speaker, facts and relations stand for themselves. What was just added is found. `client.retrieve` gives
        the same with scores, evidence and explanations.

        Args:
            query: what is asked.
            limit: how many at most, 1 to 1,000.
            filters: conditions on `speaker_name`, `speaker_id`, `time_stamp`, `float_time_stamp` (a value, or `gt`, `gte`, `lt`, `lte`) and
                on labels; of times, when it was said.
            boundmem_tags: only what was added with one of these tags, or by this adapter without any.
            boundmem_drop_untagged: also what was added without tags is left out.

        Raises:
            ValueError: a filter that nothing here has; it is named.
        """
        chosen = memory_filter(filters, boundmem_tags, boundmem_drop_untagged, self._zone)
        hits = self.client.retrieve(
            query, self.namespace, k=limit, recipe=self._recipe, filter=chosen, at_least=self._token, time_zone=self._zone.key
        )
        return [self._line(hit.memory) for hit in hits]

    def get_token_statistics(self) -> dict[str, Any]:
        """Calls and tokens of the service's models for this namespace since it was created, in LightMem's form.

        Extraction by rules (`extractor = local`) calls no model and counts none.
        """
        return token_statistics(self.client.usage(self.namespace))

    def _ensure(self, mode: ExtractionMode) -> None:
        """Creates the namespace, or sees that the one that is there extracts as it is asked to."""
        try:
            found = self.client.get_namespace(self.namespace)
        except NamespaceNotFoundError:
            try:
                self.client.create_namespace(self.namespace, extraction_mode=mode, time_zone=self._zone.key)
                return
            except AlreadyExistsError:
                found = self.client.get_namespace(self.namespace)
        if found.extraction_mode != mode:
            asked = f"asks for {mode.value}, but the namespace {self.namespace!r} is there and extracts {found.extraction_mode.value}"
            advice = "change it (client.update_namespace extracts anew) or name another namespace"
            raise LightMemConfigError((("extraction_mode", f"{asked}; {advice}"),))

    def _extracted(self) -> Deadline:
        """Extracts what waits in buffers."""
        return self._wait(self.client.flush(self.namespace))

    def _settled(self) -> dict[str, int]:
        deadline = self._extracted()
        for job in list(self.client.list_jobs(self.namespace, states=[JobState.QUEUED, JobState.RUNNING], timeout=deadline.left())):
            self.client.wait_for(job, timeout=deadline.left())
        stats = self.client.graph_stats(self.namespace)
        return {name: stats.nodes.get(kind, 0) for name, kind in _COUNTED.items()} | {"pending_vectors": stats.pending_vector_count}

    def _wait(self, *works: Appended | Flushed) -> Deadline:
        deadline = Deadline(self._timeout)
        for work in works:
            self.client.wait_for(work, timeout=deadline.left())
        return deadline

    def _line(self, memory: Message | Statement) -> str:
        said = memory.sent_at if isinstance(memory, Message) else memory.said_at
        text = f"{memory.speaker}: {memory.text}" if isinstance(memory, Message) else memory.text
        return text if said is None else f"{shown(said, self._zone)} {text}"


def _job_ids(*works: Appended | Flushed) -> list[str]:
    return list(dict.fromkeys(job_id for work in works for job_id in work.job_ids))


def _mode(given: Mapping[str, Any]) -> ExtractionMode:
    if given.get("metadata_generate") is False or given.get("text_summary") is False:
        return ExtractionMode.OFF
    return ExtractionMode(given.get("extraction_mode") or "flat")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"time_zone: must be the name of an IANA time zone; it is {name!r}") from None


def _tell(method: str, **given: Any) -> None:
    """Warns of arguments that were given and have no effect here."""
    asked = {name: OPTIONS[f"{method}({name})"] for name, value in given.items() if value is not None}
    left = [f"{name}: {option.here}" for name, option in asked.items() if not is_among(given[name], option.quiet)]
    if left:
        warnings.warn(f"{method}: without effect here: {'; '.join(left)}", LightMemWarning, stacklevel=3)
