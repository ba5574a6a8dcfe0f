module sandbox/ociwrap

go 1.25
