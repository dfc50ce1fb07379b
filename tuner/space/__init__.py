"""What may be tried: parameters, their values, rules on them, and the grid of a space."""
