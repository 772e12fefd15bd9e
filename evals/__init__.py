"""Evaluations on turns of people, whose texts are given as folders and are not in this repository."""
