"""What a run over pictures leaves: tables, a report, and the traces of an earlier run."""
