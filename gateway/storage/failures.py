"""What a failure of the database means: try again, or say that promises cannot be kept now."""

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from gateway.domain.refusals import StoreUnavailable


class ChangedMeanwhile(RuntimeError):
    """A row was changed by somebody else between loading and saving; nothing of the batch was written."""


# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING: Final = frozenset({"40001", "40P01", "55P03"})  # serialization failure, deadlock, lock not available
_AWAY: Final = ("08", "25006", "53", "57", "58")  # connection, read-only, resources (disk, connections), operator, system

# https://sqlite.org/rescode.html: a primary code, or an extended one that begins with it
_SQLITE_AWAY: Final = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_LOCKED")


def passing(error: BaseException) -> bool:
    """Whether the same once more may well succeed: another gateway was in the way, and nothing was written."""
    return isinstance(error, IntegrityError) or _overtaken(error)  # the same key, written by two gateways at once


def away(error: BaseException) -> str | None:
    """Why the database cannot be used now. None: the failure is of another kind."""
    if isinstance(error, PoolExhausted):
        return "every connection is in use"
    if isinstance(error, (OSError, TimeoutError, DisconnectionError)):
        return str(error) or "no answer in time"
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return str(cause) if getattr(cause, "sqlite_errorname", "").startswith(_SQLITE_AWAY) else None
    gone = isinstance(error, DBAPIError) and error.connection_invalidated
    if gone or _sqlstate(error).startswith(_AWAY):
        return str(cause).strip() or "the connection is gone"
    return None


def told(error: Exception) -> Exception:
    """What whoever wanted a write hears once it has failed alone, however often it was tried.

    If others were in the way each time: to come back, under the same key, for an earlier try may have been done and its answer
    lost. Anything else is a bug and stays what it is; so is a row that is refused again: a try sees what was written before it.
    """
    return StoreUnavailable(reason="others were in the way each time") if _overtaken(error) else error


def _overtaken(error: BaseException) -> bool:
    return isinstance(error, ChangedMeanwhile) or _sqlstate(error) in _PASSING


def _sqlstate(error: BaseException) -> str:
    """PostgreSQL's five characters; empty where there are none. The driver's own errors come bare while it connects."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None) or "")
