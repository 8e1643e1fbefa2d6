"""What both panels' forms are made of: settings as parameters, widgets, the life of a module."""
