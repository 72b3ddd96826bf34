"""The composition root: turn a checked configuration into networks and predictions, without Hydra.

There is one module per command. In addition, ``prediction_plan`` holds what a prediction decides before its
first picture, and ``resumable_training`` trains or resumes folds of leave-one-out and jobs of a sweep. Code
shared by several of them is in the folders ``pictures`` (one picture from file to grains), ``results``
(tables and report), ``runs`` (around a training), ``references`` (classical methods) and ``card``
(robustness).
"""
