"""Find the files that a folder, a glob or a table of images stands for."""
