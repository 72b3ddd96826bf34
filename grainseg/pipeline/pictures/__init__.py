"""One picture, from its file to measured grains, and what fails on the way."""
