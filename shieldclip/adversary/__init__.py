"""Attackers with a model at hand: ``patch`` optimises triggers, ``choice`` chooses poisons.

Everything ends in a file that a trigger or a poison reads, so that `attacks` needs no model.
"""
