"""Reading and writing on the controller's disk."""
