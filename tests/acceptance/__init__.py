"""The acceptance examples and the faults, on a whole installation."""
