"""What the agent exchanges with the LiveKit room beside audio: attributes, text streams, text input, RPC.

Imports ``preresponse`` and the packages below it. ``app`` and ``lifecycle`` may import it.
"""
