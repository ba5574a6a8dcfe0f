module falconet.local/sandbox/standins

go 1.25.0

require (
	github.com/cilium/ebpf v0.22.0
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/sys v0.43.0
)
