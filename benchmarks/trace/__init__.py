"""What listening to a run costs, and what it shows: the trace beside viztracer and mpire's insights.

programs   the same work for all three: clean, and with a planted fault
peers      how each of the three runs it, and what its own output says of the fault
command    overheads as ratios, in interleaved pairs; the table
"""
