"""What the service costs, and whether its goals hold: ``python -m benchmarks``.

Figures are ratios taken in one run on one machine, or processor time per
request; absolute rates say more about the machine than about the service.
"""
