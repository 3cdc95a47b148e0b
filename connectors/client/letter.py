"""What is sent: one request, checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import quote_plus, urlencode

import httpx
import msgspec

from connectors.contract import ContractBroken, Secret

Params = Mapping[str, str | int | Sequence[str | int]]
_Origin = tuple[str, str, int | None]

_ALWAYS = {"accept": "application/json", "user-agent": "dom-gateway"}
# The one encoding that ``whole_reply`` unpacks within bounds.
_LAST = {"accept-encoding": "gzip"}
_OURS = frozenset({"connection", "content-length", "host", "transfer-encoding"})
# HEAD is answered without the body that its headers announce.
_METHOD = re.compile(r"(?!HEAD$)[A-Z]+")
# RFC 9110, 5.1 and 5.5; nothing beyond ASCII.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One request. ``asked`` is the part of it that may be shown to people. Header names are lower case.

    Raises:
        ContractBroken: It cannot be put on the wire.
    """

    method: str
    url: httpx.URL
    asked: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)

    def __post_init__(self) -> None:
        if not _METHOD.fullmatch(self.method):
            raise ContractBroken("a method that HTTP does not know, or whose answer cannot be read")
        if not _OURS.isdisjoint(self.headers):
            raise ContractBroken("a request header that says how the request is framed, or to whom it goes")
        if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in self.headers.items()):
            raise ContractBroken("a request header with a control character, or not in ASCII")

    def presenting(self, headers: Mapping[str, str]) -> "Letter":
        """The same with these headers on top."""
        return replace(self, headers={**self.headers, **_lower(headers)})


class Desk:
    """Writes letters to one source."""

    def __init__(self, *, base_url: str, headers: Mapping[str, str]) -> None:
        self._base_url = base_url
        self._origin: _Origin | None = None
        self._headers = {**_ALWAYS, **_lower(headers), **_LAST}

    def write(
        self,
        method: str,
        path: str,
        *,
        params: Params | None,
        json: object,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Letter:
        """See ``Client.call``.

        Raises:
            ContractBroken: It cannot be put on the wire, or would carry our credentials to another origin.
        """
        try:
            url = self._url(path, params)
            content, content_type = _body(json, form)
        except (httpx.InvalidURL, UnicodeError) as error:  # either may quote a credential; JSON text may hold half a surrogate
            raise ContractBroken(f"a request that HTTP does not allow: {type(error).__name__}") from None
        own = _lower(headers) if headers else {}
        return Letter(
            method=method.upper(),
            url=url,
            asked=_asked(method.upper(), url, params),
            headers=self._headers | content_type | own,
            content=content,
        )

    def _url(self, path: str, params: Params | None) -> httpx.URL:
        if self._origin is None:
            self._origin = _origin(httpx.URL(self._base_url))
        whole = path if "://" in path.partition("?")[0] else _joined(self._base_url, path)
        # An empty mapping would strip the query from a link to the next page.
        url = httpx.URL(whole, params=params) if params else _parsed(whole)
        if _origin(url) != self._origin or url.scheme not in {"http", "https"} or not url.host:
            raise ContractBroken("a URL of another origin than the source's")
        return url


@lru_cache(maxsize=1024)
def _parsed(url: str) -> httpx.URL:
    """Most calls go to a few paths; reading a URL takes longer than all else that is done for a request."""
    return httpx.URL(url)


def _joined(base_url: str, path: str) -> str:
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}" if path else base_url


def _body(json: object, form: Mapping[str, str] | None) -> tuple[bytes | None, dict[str, str]]:
    """What is posted, and the header that says what it is."""
    if form is not None:
        return urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"}
    if json is None:
        return None, {}
    return msgspec.json.encode(json, enc_hook=_plain_text), {"content-type": "application/json"}


def _asked(method: str, url: httpx.URL, params: Params | None) -> str:
    """Method, path and query, secrets blotted out."""
    asked = f"{method} {url.raw_path.decode()}"
    for value in (params or {}).values():
        if isinstance(value, Secret) and value:
            asked = asked.replace(quote_plus(value), "***")
    return asked


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _origin(url: httpx.URL) -> _Origin:
    return url.scheme, url.host, url.port


def _plain_text(value: object) -> str:
    """What msgspec does not know to encode: text of a kind of its own, as ``Secret`` is."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{type(value).__name__} has no place in a request")
