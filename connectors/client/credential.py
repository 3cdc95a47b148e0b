"""What a source asks of us before it answers, where that changes with time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol


class Credential(Protocol):
    """Something that is presented with every request and can be renewed. All callers use it at once."""

    @property
    def expires_at(self) -> datetime | None:
        """When what we have now ends; None where it does not, or where nobody says."""

    async def headers(self) -> Mapping[str, str]:
        """What to present now. What is about to expire is renewed before it does.

        Raises:
            AuthFailed: There is none to be had: a person has to act.
            SourceError: There is none to be had now.
        """

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """Make sure that something else than what was refused is presented next. Asked by many at once, it is done once.

        False: there is nothing else.

        Raises:
            SourceError: As ``headers``.
        """

    async def aclose(self) -> None:
        """Let go of connections."""
