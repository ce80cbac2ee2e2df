"""Consolidation: from events to summaries of windows, from these to threads, and from threads to the profile of a namespace.

Everything here but `pipeline` is pure: windows, clusters and the local consolidator are functions of what they are given.
"""
