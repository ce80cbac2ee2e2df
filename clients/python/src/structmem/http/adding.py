"""`POST /add`: the messages of a request, stored once."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

from structmem._answers import Appended
from structmem._async_client import AsyncClient
from structmem._errors import AlreadyExistsError, DuplicateMessageError, InvalidArgumentError, NamespaceNotFoundError, NotFoundError
from structmem._inputs import EmbeddingSpec, NewMessage
from structmem._kinds import ExtractionMode, Role
from structmem.http.bodies import AddRequest
from structmem.http.names import digest, requests_namespace, session_name, user_namespace
from structmem.http.refusals import Refusal, Violation

_ROLES = {role.value: role for role in Role if role is not Role.UNSPECIFIED}
_SESSION = "requests"
_MOST_AT_ONCE = 1000
_MOST_CHARACTERS = 2_000_000  # of one append, which may have 16 MB


class RequestIds:
    """The request ids that were used, each with a digest of its body, as messages of a namespace of their own.

    They stand in the service, so that they outlive the adapter and hold for several of them, and for good: the service's own memory of
    request ids ends after 24 hours and at the namespace. A message is stored once by its client id, and refused with other content.
    """

    def __init__(self, client: AsyncClient, prefix: str) -> None:
        self._client = client
        self._namespace = requests_namespace(prefix)

    async def claim(self, request: AddRequest) -> str:
        """Notes the request's id; returns the note's id if it was not there, else "". Raises Refusal: it was used with another body."""
        body = json.dumps(request.model_dump(), sort_keys=True)
        note = NewMessage("http", f"request {request.request_id}", client_id=digest(request.request_id), labels={"body": digest(body)})
        try:
            try:
                noted = await self._client.append(self._namespace, _SESSION, [note])
            except NamespaceNotFoundError:
                await self._create()
                noted = await self._client.append(self._namespace, _SESSION, [note])
        except DuplicateMessageError:
            why = "was used with another body; a repeat has the same one, another request has another id"
            raise Refusal(409, "REQUEST_ID_REUSED", f"request_id: {why}", [Violation("request_id", why)]) from None
        (message,) = noted.messages
        return "" if message.duplicate else message.id

    async def release(self, note_id: str) -> None:
        """Forgets a request of which nothing was stored, so that it may be sent again with a body that can be."""
        with suppress(NotFoundError):
            await self._client.delete_memories(self._namespace, [note_id])

    async def _create(self) -> None:
        with suppress(AlreadyExistsError):
            await self._client.create_namespace(
                self._namespace,
                embedding=EmbeddingSpec("none"),
                extraction_mode=ExtractionMode.OFF,
                description="request ids of the HTTP adapter",
            )


async def add(client: AsyncClient, request_ids: RequestIds, prefix: str, request: AddRequest) -> list[Appended]:
    """Stores the messages of a request. A repeat stores what a first try may have left out, and nothing twice."""
    note_id = await request_ids.claim(request)
    namespace, session = user_namespace(prefix, request.user_id), session_name(request.session_id)
    stored: list[Appended] = []
    for part in _parts(_messages(request)):
        try:
            stored.append(await client.append(namespace, session, part, create_namespace=True))
        except InvalidArgumentError:
            if note_id and not stored:
                await request_ids.release(note_id)
            raise
    return stored


def _messages(request: AddRequest) -> Iterator[NewMessage]:
    key = digest(request.request_id)
    for index, message in enumerate(request.messages):
        role = _ROLES.get(message.role, Role.USER)
        yield NewMessage(message.role, message.content, message.sent_at, role, client_id=f"{key}:{index}")


def _parts(messages: Iterator[NewMessage]) -> Iterator[Sequence[NewMessage]]:
    part: list[NewMessage] = []
    size = 0
    for message in messages:
        if part and (len(part) == _MOST_AT_ONCE or size + len(message.text) > _MOST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(message)
        size += len(message.text)
    yield part
