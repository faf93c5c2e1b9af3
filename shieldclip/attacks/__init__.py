"""Attacks know no model: triggers act on pixels or text, poisons on data sets.

``triggers`` stamps images, ``texts`` stamps captions, ``poisons`` turns a data set into a
poisoned one plus a ``manifest`` that says which rows were changed.
"""
