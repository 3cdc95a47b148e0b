"""Several gateways on one database, and a ledger that can be checked.

A shelf carries its acknowledged commitments itself, so that locking the row locks all of it. Jobs are numbered by the database. The
last sequence number of the events has a row to lock. The ledger says what was sellable, and which version of the shelf it led to.
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
    _shelves(connection)
    with op.batch_alter_table("ledger") as batch_op:
        batch_op.add_column(sa.Column("sellable_units", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("shelf_version", sa.BigInteger(), nullable=False, server_default="0"))  # 0: nobody noted it
    _jobs()
    relay = op.create_table(
        "relay",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_relay")),
    )
    newest = connection.execute(sa.text("SELECT max(seq) FROM event")).scalar()
    op.bulk_insert(relay, [{"name": "events", "seq": newest or 0}])


def _shelves(connection: sa.Connection) -> None:
    with op.batch_alter_table("shelf") as batch_op:
        batch_op.add_column(sa.Column("acknowledged", sa.LargeBinary(), nullable=True))
    notes: dict[tuple[str, str], list[dict[str, object]]] = {}
    found = connection.execute(
        sa.text("SELECT sku, location_id, fulfillment_order_id, units, epoch FROM acknowledged ORDER BY epoch")
    )
    for row in found:
        note = {"work": row.fulfillment_order_id, "units": row.units, "epoch": row.epoch}
        notes.setdefault((row.sku, row.location_id), []).append(note)
    fill = sa.text("UPDATE shelf SET acknowledged = :noted WHERE sku = :sku AND location_id = :at").bindparams(
        sa.bindparam("noted", type_=sa.LargeBinary())
    )
    for row in connection.execute(sa.text("SELECT sku, location_id FROM shelf")).all():
        noted = json.dumps(notes.get((row.sku, row.location_id), [])).encode()
        connection.execute(fill, {"noted": noted, "sku": row.sku, "at": row.location_id})
    with op.batch_alter_table("shelf") as batch_op:
        batch_op.alter_column("acknowledged", existing_type=sa.LargeBinary(), nullable=False)
    op.drop_table("acknowledged")


def _jobs() -> None:
    op.rename_table("job", "job_before")
    for name in ("ix_job_state_run_at", "ix_job_lane_state_id"):
        op.drop_index(name, table_name="job_before")
    op.create_table(
        "job",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_job_numbered")),
        sa.UniqueConstraint("id", name=op.f("uq_job_id")),
    )
    op.create_index(op.f("ix_job_state_run_at"), "job", ["state", "run_at"])
    op.create_index(op.f("ix_job_lane_state_number"), "job", ["lane", "state", "number"])
    columns = "id, kind, subject, lane, state, run_at, attempt, fence, leased_until, error"
    op.execute(f"INSERT INTO job ({columns}) SELECT {columns} FROM job_before WHERE state <> 'DONE' ORDER BY id")  # noqa: S608  # constants
    op.drop_table("job_before")
