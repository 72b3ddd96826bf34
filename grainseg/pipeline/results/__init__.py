"""Results of a run over pictures: tables and report, and checks for files of an earlier run."""
