"""A long run of the real program under a steady load with faults: does it grow?"""
