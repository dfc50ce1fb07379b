"""A search watched while it runs: its page, served on this machine alone, and kept up to date from the ledger."""
