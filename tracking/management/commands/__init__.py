"""Commands of the tracking."""
