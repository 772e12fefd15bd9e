"""Do ``python -m caller`` and the page measure the same wait?"""
