"""Pure: the definition of a form. A question is meaning; paper, screen, scanner and export are readings of it."""
