"""base · dev · test · production."""
