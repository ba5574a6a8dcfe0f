module falconet.local/sandbox/ociwrap

go 1.25.0
