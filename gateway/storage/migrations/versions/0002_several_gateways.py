"""Several gateways on one database, and a ledger that can be checked.

A shelf carries its acknowledged commitments itself, so that locking the row locks all of it. Ledger, events and jobs are numbered
by the database; a job that is done goes away. Foreign keys cost a look-up for every row, and go. The last sequence number of the
events has a row to lock. The ledger says what was sellable, and which version of the shelf it led to.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    notes = _acknowledged(connection)
    op.drop_table("acknowledged")
    newest = connection.execute(sa.text("SELECT max(seq) FROM event")).scalar()
    bytes_type = "bytea" if connection.dialect.name == "postgresql" else "blob"
    counters = "sku, location_id, held_units, committed_units, settled_epoch, version"
    _made_anew("shelf", *_shelf(), keeps=counters, more={"acknowledged": f"CAST('[]' AS {bytes_type})"})
    fill = sa.text("UPDATE shelf SET acknowledged = :noted WHERE sku = :sku AND location_id = :at").bindparams(
        sa.bindparam("noted", type_=sa.LargeBinary())
    )
    for (sku, at), noted in notes.items():
        connection.execute(fill, {"noted": json.dumps(noted).encode(), "sku": sku, "at": at})
    _made_anew("order_sku", *_order_sku(), keeps="sku, order_id")
    _made_anew("hold", *_hold(), keeps="sku, location_id, reservation_id, units, expires_at")
    op.create_index(op.f("ix_hold_expires_at"), "hold", ["expires_at"])
    op.create_index(op.f("ix_hold_sku_location_id_expires_at"), "hold", ["sku", "location_id", "expires_at"])
    for table in ("fulfillment_order", "routing_decision"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_constraint(f"fk_{table}_order_id", type_="foreignkey")
    _made_anew(
        "ledger", *_ledger(), keeps="at, sku, location_id, bucket, units, reason, subject", more={"shelf_version": "0"}, by="id"
    )
    op.create_index(op.f("ix_ledger_sku_location_id_number"), "ledger", ["sku", "location_id", "number"])
    _made_anew("event", *_event(), keeps="seq, order_id, version, type, at, actor, cause, body", by="id")
    _made_anew(
        "job",
        *_job(),
        keeps="kind, subject, lane, state, run_at, attempt, fence, leased_until, error",
        by="id",
        where="state <> 'DONE'",
    )
    op.create_index(op.f("ix_job_state_run_at"), "job", ["state", "run_at"])
    op.create_index(op.f("ix_job_lane_state_number"), "job", ["lane", "state", "number"])
    relay = op.create_table(
        "relay",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_relay")),
    )
    op.bulk_insert(relay, [{"name": "events", "seq": newest or 0}])


def _acknowledged(connection: sa.Connection) -> dict[tuple[str, str], list[dict[str, object]]]:
    notes: dict[tuple[str, str], list[dict[str, object]]] = {}
    query = "SELECT sku, location_id, fulfillment_order_id, units, epoch FROM acknowledged ORDER BY epoch"
    for row in connection.execute(sa.text(query)):
        note = {"work": row.fulfillment_order_id, "units": row.units, "epoch": row.epoch}
        notes.setdefault((row.sku, row.location_id), []).append(note)
    return notes


def _made_anew(
    name: str, *columns: sa.schema.SchemaItem, keeps: str, more: dict[str, str] | None = None, by: str = "1", where: str = "true"
) -> None:
    """The table with these columns and what it held: names of constraints and indexes are free only once the old one is gone."""
    op.execute(f"CREATE TABLE {name}_before AS SELECT * FROM {name}")  # noqa: S608  # constants
    op.drop_table(name)
    numbered = any(isinstance(each, sa.Column) and each.name == "number" for each in columns)
    op.create_table(name, *columns, sqlite_with_rowid=numbered)
    into = ", ".join([keeps, *(more or {})])
    values = ", ".join([keeps, *(more or {}).values()])
    op.execute(f"INSERT INTO {name} ({into}) SELECT {values} FROM {name}_before WHERE {where} ORDER BY {by}")  # noqa: S608  # constants
    op.drop_table(f"{name}_before")


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False)


def _shelf() -> list[sa.schema.SchemaItem]:
    return [
        _text("sku", 100),
        _text("location_id", 140),
        _big("held_units"),
        _big("committed_units"),
        _big("settled_epoch"),
        _big("version"),
        sa.Column("acknowledged", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sku", "location_id", name=op.f("pk_shelf")),
    ]


def _order_sku() -> list[sa.schema.SchemaItem]:
    return [
        _text("sku", 100),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("sku", "order_id", name=op.f("pk_order_sku")),
    ]


def _hold() -> list[sa.schema.SchemaItem]:
    return [
        _text("reservation_id", 40),
        _text("sku", 100),
        _text("location_id", 140),
        sa.Column("units", sa.Integer(), nullable=False),
        _big("expires_at"),
        sa.PrimaryKeyConstraint("reservation_id", "sku", "location_id", name=op.f("pk_hold")),
    ]


def _ledger() -> list[sa.schema.SchemaItem]:
    return [
        _number(),
        _big("at"),
        _text("sku", 100),
        _text("location_id", 140),
        _text("bucket", 16),
        _big("units"),
        _text("reason", 32),
        _text("subject", 40),
        _big("sellable_units", nullable=True),
        _big("shelf_version"),  # 0: nobody noted it
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger")),
    ]


def _event() -> list[sa.schema.SchemaItem]:
    return [
        _number(),
        _big("seq", nullable=True),
        _text("order_id", 40),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("type", 48),
        _big("at"),
        _text("actor", 100),
        _text("cause", 200, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_event")),
        sa.UniqueConstraint("order_id", "version", name=op.f("uq_event_order_id_version")),
        sa.UniqueConstraint("seq", name=op.f("uq_event_seq")),
    ]


def _job() -> list[sa.schema.SchemaItem]:
    return [
        _number(),
        _text("kind", 16),
        _text("subject", 40),
        _text("lane", 40),
        _text("state", 8),
        _big("run_at"),
        sa.Column("attempt", sa.Integer(), nullable=False),
        _big("fence"),
        _big("leased_until"),
        _text("error", 500, nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_job")),
    ]
