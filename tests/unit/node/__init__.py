"""Reading a node."""
