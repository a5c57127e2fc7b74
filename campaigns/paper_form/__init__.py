"""Pure: the definition laid on paper. `layout` computes, `painter` draws what it says, the reader looks where it says."""
