"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acknowledged",
        sa.Column("sku", sa.String(length=100), nullable=False),
        sa.Column("location_id", sa.String(length=140), nullable=False),
        sa.Column("fulfillment_order_id", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sku", "location_id", "fulfillment_order_id", "epoch", name=op.f("pk_acknowledged")),
    )
    op.create_table(
        "customer_order",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_order")),
        sa.UniqueConstraint("channel", "external_id", name=op.f("uq_customer_order_channel_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_customer_order_number")),
    )
    with op.batch_alter_table("customer_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_order_placed_at_id"), ["placed_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_order_status_placed_at_id"), ["status", "placed_at", "id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=48), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("order_id", "version", name=op.f("uq_event_order_id_version")),
        sa.UniqueConstraint("seq", name=op.f("uq_event_seq")),
    )
    op.create_table(
        "idempotent_request",
        sa.Column("principal", sa.String(length=100), nullable=False),
        sa.Column("operation", sa.String(length=48), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "operation", "key", name=op.f("pk_idempotent_request")),
    )
    with op.batch_alter_table("idempotent_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotent_request_at"), ["at"], unique=False)

    op.create_table(
        "job",
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_lane_state_id"), ["lane", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_state_run_at"), ["state", "run_at"], unique=False)

    op.create_table(
        "ledger",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.String(length=100), nullable=False),
        sa.Column("location_id", sa.String(length=140), nullable=False),
        sa.Column("bucket", sa.String(length=16), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_sku_location_id_id"), ["sku", "location_id", "id"], unique=False)

    op.create_table(
        "location",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
    )
    op.create_table(
        "reservation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
    )
    op.create_table(
        "shelf",
        sa.Column("sku", sa.String(length=100), nullable=False),
        sa.Column("location_id", sa.String(length=140), nullable=False),
        sa.Column("held_units", sa.BigInteger(), nullable=False),
        sa.Column("committed_units", sa.BigInteger(), nullable=False),
        sa.Column("settled_epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sku", "location_id", name=op.f("pk_shelf")),
    )
    op.create_table(
        "source",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source")),
    )
    op.create_table(
        "fulfillment_order",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("location_id", sa.String(length=140), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("remote_ref", sa.String(length=128), nullable=True),
        sa.Column("is_followed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_fulfillment_order_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfillment_order")),
    )
    with op.batch_alter_table("fulfillment_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fulfillment_order_location_id"), ["location_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fulfillment_order_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_fulfillment_order_source_is_followed_id"), ["source", "is_followed", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_fulfillment_order_source_remote_ref"), ["source", "remote_ref"], unique=False)

    op.create_table(
        "hold",
        sa.Column("sku", sa.String(length=100), nullable=False),
        sa.Column("location_id", sa.String(length=140), nullable=False),
        sa.Column("reservation_id", sa.String(length=40), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.id"], name=op.f("fk_hold_reservation_id")),
        sa.PrimaryKeyConstraint("sku", "location_id", "reservation_id", name=op.f("pk_hold")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "order_sku",
        sa.Column("sku", sa.String(length=100), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_order_sku_order_id")),
        sa.PrimaryKeyConstraint("sku", "order_id", name=op.f("pk_order_sku")),
    )
    op.create_table(
        "routing_decision",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_routing_decision_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_decision")),
    )
    with op.batch_alter_table("routing_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_routing_decision_order_id"), ["order_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("routing_decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_routing_decision_order_id"))

    op.drop_table("routing_decision")
    op.drop_table("order_sku")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_expires_at"))

    op.drop_table("hold")
    with op.batch_alter_table("fulfillment_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fulfillment_order_source_remote_ref"))
        batch_op.drop_index(batch_op.f("ix_fulfillment_order_source_is_followed_id"))
        batch_op.drop_index(batch_op.f("ix_fulfillment_order_order_id"))
        batch_op.drop_index(batch_op.f("ix_fulfillment_order_location_id"))

    op.drop_table("fulfillment_order")
    op.drop_table("source")
    op.drop_table("shelf")
    op.drop_table("reservation")
    op.drop_table("location")
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_sku_location_id_id"))

    op.drop_table("ledger")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_state_run_at"))
        batch_op.drop_index(batch_op.f("ix_job_lane_state_id"))

    op.drop_table("job")
    with op.batch_alter_table("idempotent_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotent_request_at"))

    op.drop_table("idempotent_request")
    op.drop_table("event")
    with op.batch_alter_table("customer_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_order_status_placed_at_id"))
        batch_op.drop_index(batch_op.f("ix_customer_order_placed_at_id"))

    op.drop_table("customer_order")
    op.drop_table("acknowledged")
