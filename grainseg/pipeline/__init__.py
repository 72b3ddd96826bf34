"""The composition root: a checked configuration in, networks and predictions out. No Hydra.

A module per command stands here, with ``prediction_plan`` (what a prediction decides before its first
picture) and ``going_on`` (folds of leave-one-out and jobs of a sweep). What several of them share lies in the
folders: ``pictures`` (one picture from file to grains), ``results`` (tables and report), ``runs`` (around a
training), ``references`` (classical methods) and ``card`` (robustness).
"""
