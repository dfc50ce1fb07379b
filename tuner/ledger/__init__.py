"""The only truth about what ran: an SQLite file with a row for each trial."""
