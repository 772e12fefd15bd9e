"""Does the agent say before its answer what a good human agent would say there?"""
