"""What is between us and a source: names, certificates, and redirects to where nobody should go."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.client import Client, Intent, Limits, NotSent
from connectors.client.connections import Connections
from connectors.contract import BreakerState, ContractBroken, OutcomeUnknown, Transient
from tests.connectors.misbehaving import TOOLS, letter, listening, raw, whole

ONCE = Limits(attempts_max=1, attempt_timeout_s=2)


async def asked(base_url: str, intent: Intent = Intent.WRITE, limits: Limits = ONCE) -> Any:
    client = Client(base_url=base_url, tools=TOOLS, limits=limits)
    try:
        return await client.call("POST", "/stock", returns=dict[str, int], intent=intent, json={})
    finally:
        await client.aclose()


# ---------------------------------------------------------------------------------------------- names
class Nameless(asyncio.SelectorEventLoop):
    """A machine whose resolver says, as it does, that there is no such name; addresses it can read."""

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        return await super().getaddrinfo(host, port, **more)


class Deaf(asyncio.SelectorEventLoop):
    """A machine whose resolver never answers."""

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        await asyncio.Event().wait()


def on(loop: type[asyncio.AbstractEventLoop], story: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(story)


@pytest.mark.parametrize("intent", Intent)
def test_a_name_that_nobody_knows_is_transient_and_a_write_surely_not_done(intent: Intent) -> None:
    with pytest.raises(Transient, match="Name or service not known"):
        on(Nameless, asked("https://shop.invalid", intent))


@pytest.mark.parametrize("intent", Intent)
def test_a_resolver_that_never_answers_costs_half_an_attempt(intent: Intent) -> None:
    with pytest.raises(Transient, match=r"no connection within 0\.1 s"):
        on(Deaf, asked("https://shop.invalid", intent, Limits(attempts_max=1, attempt_timeout_s=0.1)))


@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("name", ["x" * 64 + ".invalid", "a..b", "x" * 300])
def test_a_name_that_cannot_be_one_is_a_closed_error(name: str, intent: Intent) -> None:
    with pytest.raises((Transient, ContractBroken)):
        asyncio.run(asked(f"http://{name}", intent))


def test_a_name_that_stays_unknown_opens_the_breaker_and_is_not_asked_for_again_at_once() -> None:
    async def story() -> None:
        client = Client(base_url="https://shop.invalid", tools=TOOLS, limits=Limits(attempts_max=1, breaker_failures=2))
        for _ in range(4):
            with pytest.raises(Transient):
                await client.call("GET", "/", returns=object)
        traffic = client.traffic()["READ"]
        assert (traffic.breaker, traffic.calls) == (BreakerState.OPEN, 2)

    on(Nameless, story())


# ---------------------------------------------------------------------------------------------- certificates
@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 and its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "here.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def served_with(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("intent", Intent)
def test_a_certificate_that_nobody_vouches_for_is_not_spoken_to(self_signed: Path, intent: Intent) -> None:
    async def story() -> None:
        async with listening(whole(b'{"A": 3}'), tls=served_with(self_signed)) as (url, source):
            with pytest.raises(Transient, match="CERTIFICATE_VERIFY_FAILED"):
                await asked(url, intent)
            assert source.requests == []

    on(Quiet, story())


def test_a_certificate_of_somebody_else_is_not_spoken_to_either(self_signed: Path) -> None:
    async def story() -> None:
        async with listening(whole(b"{}"), tls=served_with(self_signed)) as (url, source):
            wire = Connections(trust=lambda: ssl.create_default_context(cafile=self_signed))
            with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
                await wire.exchange(letter(url.replace("127.0.0.1", "localhost")), timeout_s=2, bytes_max=100)
            assert source.requests == []

    on(Quiet, story())


def test_a_certificate_that_is_vouched_for_is_and_its_connection_is_kept(self_signed: Path) -> None:
    async def story() -> None:
        async with listening(whole(b'{"A": 3}'), tls=served_with(self_signed)) as (url, source):
            wire = Connections(trust=lambda: ssl.create_default_context(cafile=self_signed))
            for _ in range(3):
                assert (await wire.exchange(letter(url), timeout_s=2, bytes_max=100)).read(dict[str, int]) == {"A": 3}
            assert source.connections == 1
            await wire.aclose()
            await source.dropped.wait()

    asyncio.run(story())


class Quiet(asyncio.SelectorEventLoop):
    """A server whose handshake fails says so to nobody here."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        assert isinstance(context.get("exception"), OSError), context


@pytest.mark.parametrize("intent", Intent)
def test_a_source_that_does_not_speak_tls_has_not_been_asked(intent: Intent) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Transient, match="no connection"):
            await asked(f"https://127.0.0.1:{port}", intent)
        server.close()
        await server.wait_closed()

    asyncio.run(story())


# ---------------------------------------------------------------------------------------------- redirects
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_an_internal_address_is_not_followed(status: int) -> None:
    async def story() -> None:
        async with listening(whole(b'{"secret": 1}')) as (internal, victim):
            redirect = raw(f"{status} Elsewhere\r\nlocation: {internal}/latest/meta-data\r\ncontent-length: 0")
            async with listening(redirect) as (url, source):
                with pytest.raises(ContractBroken, match=f"HTTP {status}"):
                    await asked(url, Intent.READ)
                with pytest.raises(OutcomeUnknown):
                    await asked(url, Intent.WRITE)
                assert (len(source.requests), victim.connections) == (2, 0)

    asyncio.run(story())


def test_a_next_page_at_an_internal_address_is_not_asked_for() -> None:
    async def story() -> None:
        async with listening(whole(b"{}")) as (internal, victim), listening(whole(b"{}")) as (url, _):
            client = Client(base_url=url, tools=TOOLS, limits=ONCE)
            for link in (
                f"{internal}/stock?page=2",
                f"//{internal.removeprefix('http://')}/x",
                f"@{internal.removeprefix('http://')}",
            ):
                try:
                    await client.call("GET", link, returns=dict[str, int])
                except ContractBroken:
                    continue
            await client.aclose()
            assert victim.connections == 0

    asyncio.run(story())


def test_addresses_of_the_newer_kind_are_spoken_to() -> None:
    async def story() -> None:
        try:
            async with listening(whole(b'{"A": 3}'), host="::1") as (url, source):
                assert await asked(url) == {"A": 3}
                assert b"Host: [::1]:" in source.requests[0]
        except OSError as error:
            pytest.skip(f"this machine has no IPv6: {error}")

    asyncio.run(story())
