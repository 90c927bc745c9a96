"""What a machine can say of a change before a person reads it.

`checks` runs them all over a revision; the other modules each know one matter: characters nobody sees, quotes, praise
that would go, reports that read like instructions, the pile of rules it goes into, and how much can go wrong. Pure
functions over untrusted text, every pattern in re2; knows no Django.
"""
