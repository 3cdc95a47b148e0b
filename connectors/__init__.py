"""Real systems of record, one module each, behind one contract."""
