"""Faults that are planted on the sandbox, as a table (`table.yml`), and how its steps are done (`steps.py`)."""
