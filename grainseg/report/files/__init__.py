"""The files of a measurement: names, tables, scores, and checks that existing files are grainseg's own."""
