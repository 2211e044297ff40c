"""SQL, and nothing but. Statements run in the current snapshot or transaction (service/db.py)."""
