"""Figures for analysts: counts, shares, changes, bursts and pairs of what runs have told."""
