"""What `make doctor` finds. What is downloaded is asked of the ordinary client of each kind, which fetches nothing."""
