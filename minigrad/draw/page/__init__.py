"""What every figure is made of: the scene, its letters, curves and labels.

No room of it knows a view or an engine.
"""
