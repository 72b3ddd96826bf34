"""Describe how a picture looks and warn of oddities in it, before boundaries are looked for."""
