// Containers: what containerd's CRI plugin wrote of them into their bundles, by the names of their control groups.

package sensor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Where containerd keeps the bundles of the containers that run, in the node's root.
const bundles = "run/containerd/io.containerd.runtime.v2.task/k8s.io"

// Annotations that the CRI plugin gives to each container.
const cri = "io.kubernetes.cri."

var containerGroup = regexp.MustCompile(`^(?:cri-containerd-)?([0-9a-f]{64})(?:\.scope)?$`)

// Container is one container of the node.
type Container struct {
	id, name, image, tag, pod, podUID, namespace, sandboxID string
	privileged, complete                                    bool
	users, groups                                           map[uint32]string
}

type containers struct {
	root  string // of the node
	byID  map[string]*Container
	users map[uint32]string
	group map[uint32]string
}

func newContainers(root string) *containers {
	return &containers{root: root, byID: map[string]*Container{}}
}

// byCgroup finds the container that a control group belongs to; nil for other groups.
func (c *containers) byCgroup(group string) *Container {
	if len(group) < 64 {
		return nil
	}
	found := containerGroup.FindStringSubmatch(group)
	if found == nil {
		return nil
	}
	id := found[1]
	known := c.byID[id]
	if known == nil || !known.complete {
		if known = c.read(id); known == nil {
			known = &Container{id: id} // its group is there, its bundle is not or not yet
		}
		c.byID[id] = known
	}
	return known
}

func (c *containers) read(id string) *Container {
	bundle := filepath.Join(c.root, bundles, id)
	text, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err != nil {
		return nil
	}
	var spec struct {
		Annotations map[string]string `json:"annotations"`
		Linux       struct {
			MaskedPaths []string `json:"maskedPaths"`
		} `json:"linux"`
	}
	if json.Unmarshal(text, &spec) != nil {
		return nil
	}
	a := spec.Annotations
	out := &Container{id: id, name: a[cri+"container-name"], pod: a[cri+"sandbox-name"], podUID: a[cri+"sandbox-uid"], namespace: a[cri+"sandbox-namespace"],
		sandboxID: a[cri+"sandbox-id"], privileged: len(spec.Linux.MaskedPaths) == 0, complete: true}
	out.image, out.tag = splitImage(a[cri+"image-name"])
	out.users, out.groups = names(filepath.Join(bundle, "rootfs/etc/passwd")), names(filepath.Join(bundle, "rootfs/etc/group"))
	return out
}

func splitImage(image string) (repository, tag string) {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[:i], image[i+1:]
	}
	return image, ""
}

// names reads a file such as /etc/passwd: names by number.
func names(file string) map[uint32]string {
	out := map[uint32]string{}
	text, err := os.ReadFile(file)
	if err != nil {
		return out
	}
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Split(line, ":"); len(f) > 2 {
			if n, err := strconv.ParseUint(f[2], 10, 32); err == nil && out[uint32(n)] == "" {
				out[uint32(n)] = f[0]
			}
		}
	}
	return out
}

// userName is the name of a user where the process lives: in its container, else on the node; root where nobody says.
func (c *containers) userName(in *Container, uid uint32) string {
	if c.users == nil {
		c.users = names(filepath.Join(c.root, "etc/passwd"))
	}
	return nameOf(in, uid, c.users, func(x *Container) map[uint32]string { return x.users })
}

func (c *containers) groupName(in *Container, gid uint32) string {
	if c.group == nil {
		c.group = names(filepath.Join(c.root, "etc/group"))
	}
	return nameOf(in, gid, c.group, func(x *Container) map[uint32]string { return x.groups })
}

func nameOf(in *Container, id uint32, host map[uint32]string, inside func(*Container) map[uint32]string) string {
	table := host
	if in != nil {
		table = inside(in)
	}
	if name := table[id]; name != "" || id != 0 {
		return name
	}
	return "root"
}
