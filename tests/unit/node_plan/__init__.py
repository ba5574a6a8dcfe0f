"""What has to change on a node."""
