"""How Sphinx renders the documentation; tools/docsite.py lays out what it reads."""

project = "falconet.k8s"
author = "The falconet.k8s founders"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "furo"
html_title = "falconet.k8s"
# Headings are link targets as on the repository's pages, where these documents are read as well.
myst_heading_anchors = 4
# Graphs are drawn where the repository is shown; here they are their own text.
suppress_warnings = ["misc.highlighting_failure"]
