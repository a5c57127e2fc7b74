"""The file that goes back to the landlord: columns from the definition, writers by format, delivery."""
