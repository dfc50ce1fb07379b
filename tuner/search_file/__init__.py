"""What the user asked for: the search file, read, checked and frozen."""
