"""How many calls does one core carry, and what does each cost?"""
