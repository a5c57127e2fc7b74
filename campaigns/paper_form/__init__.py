"""Pure: the definition laid on paper. `layout` computes, `painter` draws it, the reader of scans looks there."""
