"""Routing policies, the prices of scarce stock, and what decisions were made from.

Until a merchant writes another, orders are routed by the first version of the default policy: it has no rules, so that every order
comes from where it costs least, as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SINCE = "2026-01-01T00:00:00Z"
LEAST_COST = f"""{{"name":"default","version":1,"state":"ACTIVE","rules":[],"changes":[
{{"step":"CREATE","at":"{SINCE}","by":"gateway","note":"Least cost."}},
{{"step":"ACTIVATE","at":"{SINCE}","by":"gateway","note":"Until another version is activated."}}]}}"""


def upgrade() -> None:
    policies = op.create_table(
        "routing_policy",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_routing_policy")),
    )
    active = sa.text("state = 'ACTIVE'")
    op.create_index(
        op.f("uq_routing_policy_active"), "routing_policy", ["name"], unique=True, sqlite_where=active, postgresql_where=active
    )
    op.bulk_insert(policies, [{"name": "default", "version": 1, "state": "ACTIVE", "body": LEAST_COST.encode()}])
    op.create_table(
        "price_book",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("built_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_price_book")),
    )
    op.create_table(
        "routing_input",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_routing_input")),
    )
