"""Bad inputs of every kind, built by code: ``case.py`` says what a case is, ``all_cases.py`` lists them."""
