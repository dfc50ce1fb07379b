"""A folder of reports as it is written to the disk: a report with its page, tables, pictures and models; the index."""
