"""Every table. An aggregate is kept whole, as one JSON document, beside the columns by which it is found.

Ids are UUIDv7 text made by the application. Rows that only ever follow one another (ledger, events, jobs) are numbered by the
database instead: of two that concern one order or shelf, which are written under its lock, the later has the higher number,
whatever the clocks of their gateways said. Instants are microseconds since 1970 (UTC), which both databases compare the same way.

There are no foreign keys: rows that belong together are written together, by one piece of code, and ``dom verify`` looks after
them; the database would look the order up again for each of its rows.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str = "id", *, primary_key: bool = True) -> Column[str]:
    return Column(name, String(40), primary_key=primary_key, nullable=False)


def _number() -> Column[int]:
    return Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)


def _instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


source = Table(
    "source",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
)

location = Table(
    "location",
    metadata,
    _id(),
    Column("source", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

order = Table(
    "customer_order",
    metadata,
    _id(),
    Column("number", String(24), nullable=False, unique=True),
    Column("channel", String(64), nullable=False),
    Column("external_id", String(128)),
    Column("status", String(24), nullable=False),
    Column("version", Integer, nullable=False),
    _instant("placed_at"),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("channel", "external_id"),
    Index(None, "placed_at", "id"),
    Index(None, "status", "placed_at", "id"),
)

order_sku = Table(
    "order_sku",
    metadata,
    Column("sku", String(100), primary_key=True),
    Column("order_id", String(40), primary_key=True),
    sqlite_with_rowid=False,
)

work = Table(
    "fulfillment_order",
    metadata,
    _id(),
    Column("order_id", String(40), nullable=False, index=True),
    Column("location_id", String(140), nullable=False, index=True),
    Column("source", String(64), nullable=False),
    Column("remote_ref", String(128)),
    Column("is_followed", Integer, nullable=False),
    Index(None, "source", "is_followed", "id"),
    Index(None, "source", "remote_ref"),
)

reservation = Table(
    "reservation",
    metadata,
    _id(),
    Column("state", String(16), nullable=False),
    _instant("expires_at"),
    Column("body", LargeBinary, nullable=False),
)

hold = Table(  # what active reservations keep; gone with them
    "hold",
    metadata,
    Column("reservation_id", String(40), primary_key=True),
    Column("sku", String(100), primary_key=True),
    Column("location_id", String(140), primary_key=True),
    Column("units", Integer, nullable=False),
    _instant("expires_at"),
    Index(None, "sku", "location_id", "expires_at"),
    Index(None, "expires_at"),
    sqlite_with_rowid=False,
)

shelf = Table(
    "shelf",
    metadata,
    Column("sku", String(100), primary_key=True),
    Column("location_id", String(140), primary_key=True),
    Column("held_units", BigInteger, nullable=False),
    Column("committed_units", BigInteger, nullable=False),
    Column("settled_epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("acknowledged", LargeBinary, nullable=False),  # commitments the source has, until a reading contains them
    sqlite_with_rowid=False,
)

ledger = Table(
    "ledger",
    metadata,
    _number(),
    _instant("at"),
    Column("sku", String(100), nullable=False),
    Column("location_id", String(140), nullable=False),
    Column("bucket", String(16), nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("sellable_units", BigInteger),  # what held and committed there might at most be, as it was decided
    Column("shelf_version", BigInteger, nullable=False),  # of the shelf once this was posted: its entries in order
    Index(None, "sku", "location_id", "number"),
)

decision = Table(
    "routing_decision",
    metadata,
    _id(),
    Column("order_id", String(40), nullable=False, index=True),
    _instant("decided_at"),
    Column("body", LargeBinary, nullable=False),
)

routing_policy = Table(
    "routing_policy",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", String(8), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index(  # of each name, one version is in force
    "uq_routing_policy_active",
    routing_policy.c.name,
    unique=True,
    sqlite_where=routing_policy.c.state == "ACTIVE",
    postgresql_where=routing_policy.c.state == "ACTIVE",
)

price_book = Table(
    "price_book",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    _instant("built_at"),
    Column("body", LargeBinary, nullable=False),
)

routing_input = Table(  # what decisions were made from, found by what it says
    "routing_input",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

event = Table(
    "event",
    metadata,
    _number(),
    Column("seq", BigInteger, unique=True),
    Column("order_id", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", String(48), nullable=False),
    _instant("at"),
    Column("actor", String(100), nullable=False),
    Column("cause", String(200)),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("order_id", "version"),
)

relay = Table(  # whoever has this row locked gives out sequence numbers
    "relay",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

job = Table(
    "job",
    metadata,
    _number(),
    Column("kind", String(16), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("lane", String(40), nullable=False),
    Column("state", String(8), nullable=False),
    _instant("run_at"),
    Column("attempt", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    _instant("leased_until"),
    Column("error", String(500)),
    Index(None, "state", "run_at"),
    Index(None, "lane", "state", "number"),
    sqlite_autoincrement=True,  # else the number of one that is done is given again, and a claim on it could finish another
)

request = Table(
    "idempotent_request",
    metadata,
    Column("principal", String(100), primary_key=True),
    Column("operation", String(48), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    _instant("at"),
    Index(None, "at"),
)
