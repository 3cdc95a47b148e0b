"""A job's number is never given to another.

SQLite gives the highest number again once its row is gone, and jobs go when they are done: whoever had lost the claim on one could
have finished another in its name. PostgreSQL never gives a number twice.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("job", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
