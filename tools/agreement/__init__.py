"""What other analysers of NetworkPolicies expect of their own tests, held against this collection's answers.

Their repositories stay outside of this one: C(python3 -m tools.agreement --help). The page that tells the figures is
docs/network-policy-agreement.md.
"""
