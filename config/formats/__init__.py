"""French formats of our own."""
