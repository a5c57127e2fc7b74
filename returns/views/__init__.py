"""The operators' screens: keying, the reconciliation desk, the pieces to name."""
