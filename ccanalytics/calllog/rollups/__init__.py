"""Counting in the database: each roll-up is one narwhals expression over the ``base`` view.

Small frames come out. The same definitions run wherever narwhals does.
"""
