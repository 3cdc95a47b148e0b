"""Where promises are kept: tables, the writer, queries, migrations."""
