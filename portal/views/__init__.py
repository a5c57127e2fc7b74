"""The pages of the household's door, by moment: entrance, questions, people, pieces, sending, information."""
