"""The report: one HTML page with its tables, sentences and plots."""
