"""Answers that are ready to be handed out, and the memory that holds them."""

from asyncio import Future
from collections import OrderedDict
from dataclasses import dataclass

from api.http.head import Head

Key = tuple[bytes, bytes, str, str]
"""Path and query as they came, and the media type and encoding that the client likes best."""

BYTES_BESIDE = 4096
"""What an answer takes beside its body, roughly, key and headers included."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole; `etag` is empty unless it may be kept."""

    head: Head
    body: bytes
    route: str
    etag: bytes = b""
    last_modified: bytes = b""
    head_unchanged: Head | None = None
    """The head for a client that has it already."""


class ReadyAnswers:
    """The answers of one snapshot: those asked for last, within a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self.in_making: dict[Key, Future[Answer | None]] = {}
        """Answers that are just being made, for others who ask the same meanwhile."""
        self._answers: OrderedDict[Key, Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: Key) -> Answer | None:
        """The answer to that key, if it is ready."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Key, answer: Answer) -> None:
        """Keep an answer, in place of those that were asked for longest ago."""
        if key in self._answers:
            self.bytes -= _size(key, self._answers.pop(key))
        self._answers[key] = answer
        self.bytes += _size(key, answer)
        while self.bytes > self.most_bytes:
            self.bytes -= _size(*self._answers.popitem(last=False))


def _size(key: Key, answer: Answer) -> int:
    return len(answer.body) + len(key[0]) + len(key[1]) + BYTES_BESIDE
