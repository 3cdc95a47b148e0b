"""Who is next: callers take turns, so that one who sends ten thousand commands does not make the others wait for them all."""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from gateway.domain.refusals import Overloaded


class Queued(Protocol):
    """What waits for its turn."""

    @property
    def caller(self) -> str:
        """Whose it is."""

    def refuse(self, why: Exception) -> None:
        """Tell whoever waits for it that it will not be done."""


Q = TypeVar("Q", bound=Queued)


@dataclass(slots=True, kw_only=True)
class Turns(Generic[Q]):
    """A bounded queue of queues: first come, first served within a caller; round robin among callers."""

    size_max: int
    _lines: dict[str, deque[Q]] = field(default_factory=dict)
    _size: int = 0

    def __len__(self) -> int:
        return self._size

    def add(self, new: Q) -> None:
        """Put it at the end of its caller's line. When everything is full, the longest line gives up its newest.

        Raises:
            Overloaded: Everything is full, and no line is longer than this caller's would be.
        """
        line = self._lines.get(new.caller, deque())
        if self._size >= self.size_max:
            longest = max(self._lines.values(), key=len)
            if len(longest) <= len(line) + 1:
                raise Overloaded
            longest.pop().refuse(Overloaded())
            self._size -= 1
        line.append(new)
        self._lines[new.caller] = line
        self._size += 1

    def put_back(self, taken: Q) -> None:
        """Have it be its caller's next."""
        self._lines.setdefault(taken.caller, deque()).appendleft(taken)
        self._size += 1

    def take(self) -> Q | None:
        """The next one: of the caller whose turn it is, who then goes to the end."""
        if not self._lines:
            return None
        caller = next(iter(self._lines))
        line = self._lines.pop(caller)
        taken = line.popleft()
        self._size -= 1
        if line:
            self._lines[caller] = line
        return taken

    def clear(self) -> list[Q]:
        """Everything that waits, taken out."""
        waiting = [each for line in self._lines.values() for each in line]
        self._lines.clear()
        self._size = 0
        return waiting
