"""What a run would do, how long it takes, and how it ends within so many hours."""
