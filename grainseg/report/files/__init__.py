"""The files of a measurement: their names, tables and scores, and whether they are our own."""
