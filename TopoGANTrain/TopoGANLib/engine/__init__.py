"""The engine as a process of its own: started, checked, installed, followed and asked."""
