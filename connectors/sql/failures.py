"""What a database says went wrong, in the contract's words."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connectors.client import Inconclusive, NotSent
from connectors.contract import AuthFailed, ContractBroken, SourceError, Transient

WORDS_MAX: Final = 200

# By SQLSTATE, the longest match first: https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_STATE: Final[Mapping[str, Callable[[str], SourceError]]] = {
    "42501": AuthFailed,  # insufficient privilege
    "28": AuthFailed,
    "3D": ContractBroken,  # no such database
    "0A": ContractBroken,
    "22": ContractBroken,
    "25": ContractBroken,  # 25006: it tried to write
    "42": ContractBroken,
    "57014": Inconclusive,  # it took longer than it may
}
# By primary result code: https://sqlite.org/rescode.html
_BY_RESULT: Final[Mapping[int, Callable[[str], SourceError]]] = {
    1: ContractBroken,  # no such table, or not SQL
    3: AuthFailed,
    8: ContractBroken,  # it tried to write
    9: Inconclusive,  # it took longer than it may
    11: ContractBroken,
    20: ContractBroken,
    23: AuthFailed,
    25: ContractBroken,
    26: ContractBroken,  # not a database
}


def failure(error: Exception, *, hidden: str | None) -> SourceError:
    """What an error of the database or its driver means. ``hidden`` is the password, should somebody repeat it."""
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    words = " ".join(str(cause).rpartition(">: ")[2].split())[:WORDS_MAX] or type(cause).__name__
    if hidden:
        words = words.replace(hidden, "***")
    state, result = getattr(cause, "sqlstate", None), getattr(cause, "sqlite_errorcode", None)
    if isinstance(state, str):
        known = [kind for code, kind in _BY_STATE.items() if state.startswith(code)]
        return next(iter(known), Transient)(words)
    if isinstance(result, int):
        return _BY_RESULT.get(result & 0xFF, Transient)(words)
    return _by_class(error, words)


def _by_class(error: Exception, words: str) -> SourceError:
    if isinstance(error, OSError | PoolTimeout) and not isinstance(error, TimeoutError):
        return NotSent(f"no connection: {words}")
    if isinstance(error, DBAPIError | TimeoutError):
        return Inconclusive(words)
    if isinstance(error, StatementError | SQLAlchemyError):
        return ContractBroken(words)
    return Transient(f"{type(error).__name__}: {words}")  # drivers have classes of their own
