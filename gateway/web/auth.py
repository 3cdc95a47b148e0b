"""Who is asking: a bearer token, in the header of a request or in the first message of a socket."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain.principals import Principal
from gateway.settings import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The principals, by a hash of their secret: comparing hashes takes no longer for a secret that is nearly right."""

    principals: Mapping[bytes, Principal]

    @staticmethod
    def of(tokens: tuple[Token, ...]) -> "Tokens":
        """The tokens of the settings."""
        return Tokens(principals={_hash(each.secret): Principal(name=each.name, role=each.role) for each in tokens})

    def bearer(self, authorization: object) -> Principal | None:
        """Whose token an ``Authorization`` header holds; None, if it is nobody's."""
        scheme, _, secret = str(authorization or "").partition(" ")
        return self.principals.get(_hash(secret.strip())) if scheme.lower() == "bearer" else None

    def first_message(self, payload: Mapping[str, Any]) -> Principal | None:
        """Whose token the first message of a socket holds; clients write the name of the key in either case."""
        return next((self.bearer(payload[key]) for key in ("Authorization", "authorization") if key in payload), None)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
