"""Filters of the tracking templates."""
