"""The operating characteristics of the speedup verdict: simulated, replayed, and measured.

machines, demand      what is simulated: machines with neighbours, programs as demand graphs
tables, rows, cpus, graph, course, accounts      the scheduler, many runs at once
simulate, peers       the product's own measurement on it; two rival rules
cells, adversaries, demands      the rows of the table, and what they must show
conditions, one, real      real runs on this machine;  traces: recorded blocks, decided again
odds, ledger, report, picture, command      bounds, resuming, what is printed and drawn
"""
