"""Made-up rows for the tests, one module per app."""
