"""What was found, as numbers: read back from ledger and predictions, scored, compared, explained."""
