"""What a report consists of, as values: sections of paragraphs, tables and pictures, and how numbers are written."""
