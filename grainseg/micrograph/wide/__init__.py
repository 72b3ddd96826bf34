"""A wide range of synthetic micrographs, for networks that have to work before any label exists."""

from grainseg.micrograph.wide.contact_sheet import contact_sheet
from grainseg.micrograph.wide.generator import WideMicrograph, generate_wide
from grainseg.micrograph.wide.recipe import NEVER, WIDE, WideRecipe

__all__ = ["NEVER", "WIDE", "WideMicrograph", "WideRecipe", "contact_sheet", "generate_wide"]
