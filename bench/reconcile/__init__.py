"""Whether a later statement is rightly taken to replace an earlier one, to say the same, or to stand beside it.

`pairs` reads the pairs of tests/extract/reconcile (a half to work with, a half that is held out), `counting` compares what was decided with
what is right, `command` is the benchmark over any function that decides.
"""
