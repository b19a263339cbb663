"""What fittrace costs: one module per measure, each with `measure(quick)`, which returns rows of the table.

The things compared take turns within a measure, and what is reported is the median of the ratios of neighbours, so
that a machine that slows down or is shared counts alike for both.
"""
