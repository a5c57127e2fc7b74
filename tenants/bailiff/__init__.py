"""The commissaire de justice's screens: the list of the silent, their mailings and proofs, the sealed packages."""
