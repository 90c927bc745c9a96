"""How an agent fares, in numbers that can be added up. Knows no Django and no database."""
