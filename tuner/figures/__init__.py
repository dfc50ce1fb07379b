"""Drawings of what `analysis` computed, all in one style."""
